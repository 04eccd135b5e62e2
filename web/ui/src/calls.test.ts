import { describe, expect, it } from 'vitest'
import { legOf, liveOf, otherName } from './calls'
import type { PhoneCall } from './phone'
import type { LiveCall } from './types'

const ringing = (sipCallID: string, number = '+12025550900'): PhoneCall => ({
  id: sipCallID + 'tag', sipCallID, direction: 'in', number, name: '', phase: 'ringing', early: false, answeredAt: 0, endedAt: 0, muted: false, held: false, digits: '', note: '', consults: '',
})
const quiet = { held: false, member: false, moderator: false, muted: false, speaking: false }
const live = (id: string, sipCallID: string | undefined, user = 'bob'): LiveCall => ({
  id, direction: 'inbound', from: { number: '+12025550900', name: 'Dee Poe' }, to: {}, phase: 'ringing', voicemail: false, stage: 0, start: '',
  legs: [
    { ...quiet, id: '1', peer: 'carrier', caller: true, state: 'ringing', sip_call_id: 'trunk' },
    { ...quiet, id: '2', peer: user, user, caller: false, state: 'ringing', ...(sipCallID ? { sip_call_id: sipCallID } : {}) },
  ],
})
const names = { me: 'bob', user: (id: string) => id, number: (n: string) => n }

describe('the server’s view of a call', () => {
  it('is found by the Call-ID, even among calls of the same caller', () => {
    expect(liveOf(ringing('two'), [live('a', 'one'), live('b', 'two')], 'bob')?.id).toBe('b')
  })
  it('is guessed from the number only when that is the only one that rings me', () => {
    expect(liveOf(ringing('two'), [live('a', undefined)], 'bob')?.id).toBe('a')
    expect(liveOf(ringing('two'), [live('a', undefined), live('b', undefined)], 'bob')).toBeUndefined()
    expect(liveOf(ringing('two'), [live('a', undefined, 'ann')], 'bob')).toBeUndefined()
    expect(liveOf({ ...ringing('two'), direction: 'out' }, [live('a', undefined)], 'bob')).toBeUndefined()
  })
  it('gives the leg and the name', () => {
    const l = live('b', 'two')
    expect(legOf(ringing('two'), l, 'bob')?.sip_call_id).toBe('two')
    expect(otherName(ringing('two'), l, names)).toBe('Dee Poe')
    expect(otherName(ringing('two'), undefined, names)).toBe('(202) 555-0900')
    expect(otherName(ringing('two', ''), undefined, names)).toBe('Unknown caller')
  })
})
