import { describe, expect, it } from 'vitest'
import { causeText, microphoneText, reasonHeader } from './causes'

describe('why a call ended', () => {
  it.each([
    [486, 'Busy', '', 'Busy'],
    [404, 'Not Found', '', 'This number does not exist'],
    [503, 'SIP Failure Code', '', 'No line is free right now'],
    [599, 'SIP Failure Code', '', 'The network failed'],
    [undefined, 'Canceled', 'Call completed elsewhere', 'Answered on another phone'],
    [undefined, 'Canceled', '', 'The caller gave up'],
    [undefined, 'Terminated', '', 'Call ended'],
    [undefined, 'Connection Error', '', 'The connection to the server was lost'],
    [undefined, '', '', 'Call ended'],
    [undefined, 'Something new', '', 'Something new'],
  ])('%s %s %s → %s', (code, cause, reason, want) => expect(causeText(code, cause, reason)).toBe(want))

  it('reads Reason headers (RFC 3326)', () => {
    expect(reasonHeader('SIP;cause=200;text="Call completed elsewhere"')).toBe('Call completed elsewhere')
    expect(reasonHeader('Q.850 ;cause=16')).toBe('')
    expect(reasonHeader(undefined)).toBe('')
  })
})

it('explains each failure of the microphone differently', () => {
  const named = (name: string) => microphoneText(Object.assign(new Error('x'), { name }))
  const texts = ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'InsecureContext', 'Other'].map(named)
  expect(new Set(texts).size).toBe(texts.length)
  expect(microphoneText('nonsense')).toMatch(/could not be opened/)
})
