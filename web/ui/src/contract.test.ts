// What the page knows of the server, held against the server's own sources.

import { describe, expect, it } from 'vitest'
import dial from '../../../routing/dial.go?raw'
import plan from '../../../routing/plan.go?raw'
import policy from '../../../routing/policy.go?raw'
import openapi from '../../openapi.json'
import types from './types.ts?raw'
import { hasWords } from './why'

describe('routing', () => {
  const constants = [...(plan + policy + dial).matchAll(/^\t(?:Step|Reason|Match)\w+\s*=\s*"(\w+)"/gm)].map((m) => m[1]!)
  it('has constants to check', () => expect(constants.length).toBeGreaterThan(25))
  it.each(constants)('%s has words', (name) => expect(hasWords(name)).toBe(true))
})

interface Schema {
  properties?: Record<string, unknown>
  required?: string[]
}

describe('the API', () => {
  const schemas = openapi.components.schemas as Record<string, Schema>
  const interfaces = new Map([...types.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)].map((m) => [m[1]!, m[2]!]))
  const names: Record<string, string> = { Row: 'Row', RowUser: 'RowUser', Stage: 'Stage', Target: 'Target', StreamStat: 'StreamStat' }
  const check = ['Party', 'Person', 'CallFrom', 'Me', 'Leg', 'Call', 'CallRecording', 'LiveCall', 'LiveLeg', 'LiveRoom', 'Voicemail', 'MessageBox', 'Reach', 'DemoNumber', 'Alert', 'Registration', 'Plan', ...Object.keys(names)]

  it.each(check)('describes %s as types.ts does', (name) => {
    const schema = schemas[name]
    const fields = [...interfaces.get(name)!.matchAll(/^ {2}(\w+)(\??):/gm)].map((m) => m[1]! + m[2]!)
    const want = Object.keys(schema!.properties!).map((p) => p + (schema!.required?.includes(p) ? '' : '?'))
    expect(fields.sort()).toEqual(want.sort())
  })
})
