import { describe, expect, it } from 'vitest'
import type { Call, LiveCall, LiveLeg, Plan } from './types'
import { outcome, progress, stagesOf, traceLines, whyItRings, type Names } from './why'

const names: Names = {
  me: 'bob',
  user: (id) => ({ ann: 'Ann Lee', bob: 'Bob Ray' })[id] ?? id,
  number: (n) => (n === '+12025550003' ? 'Lettings' : n),
}

const call = (change: Partial<LiveCall> = {}): LiveCall => ({
  id: 'a1', direction: 'inbound', from: { number: '+12025550900', name: 'Dee Poe' }, to: { number: '+12025550001', name: 'Main line' },
  phase: 'ringing', voicemail: false, stage: 0, start: '2026-03-01T10:00:00Z', legs: [], ...change,
})
const quiet = { id: '1', caller: false, held: false, member: false, moderator: false, muted: false, speaking: false }
const leg = (step: string, match = ''): LiveLeg => ({ peer: 'bob', user: 'bob', state: 'ringing', step, match, ...quiet })

describe('why it rings', () => {
  it.each([
    [leg('contact_owner', 'contact_owned'), 'You own the contact Dee Poe.'],
    [leg('unknown_rules', 'rule:Weekend'), 'Rule “Weekend” of Main line rings you for callers nobody owns.'],
    [leg('unknown_rules', 'default_rule'), 'Main line rings you for callers nobody owns.'],
    [leg('ring_group', 'ring_group'), 'You are in the ring group of Main line.'],
    [leg('number_user', 'user_assigned'), 'Main line is your number.'],
    [leg('workflow', 'workflow'), 'The menu of Main line led the caller to you.'],
    [leg('something_new'), 'Main line rings Bob Ray.'],
  ])('$step', (l, want) => expect(whyItRings(call(), l, names)).toBe(want))

  it('says that others were tried before', () => {
    expect(whyItRings(call({ stage: 1 }), leg('ring_group'), names)).toBe('You are in the ring group of Main line. Nobody answered before.')
  })
  it('names a number without label by itself, and an unknown caller not at all', () => {
    const c = call({ from: { number: '+12025550777' }, to: { number: '+12025550001' } })
    expect(whyItRings(c, leg('contact_owner'), names)).toBe('You own this contact.')
    expect(whyItRings(c, leg('ring_group'), names)).toBe('You are in the ring group of (202) 555-0001.')
  })
  it('is silent when it does not know, and plain between colleagues', () => {
    expect(whyItRings(call(), undefined, names)).toBe('')
    expect(whyItRings(call({ direction: 'internal', from: { name: 'Ann Lee' } }), undefined, names)).toBe('Ann Lee calls your extension.')
  })
})

describe('a call in progress', () => {
  const rings = (user: string): LiveLeg => ({ peer: user, user, state: 'ringing', ...quiet })
  it.each([
    [call({ legs: [rings('bob'), rings('ann'), rings('bob')] }), 'Rings Bob Ray, Ann Lee'],
    [call({ legs: [{ peer: '+12025550111', state: 'ringing', ...quiet }] }), 'Rings (202) 555-0111'],
    [call({ phase: 'routing' }), 'Connecting'],
    [call({ phase: 'up', answered_by: { name: 'Bob Ray' } }), 'With Bob Ray'],
    [call({ phase: 'up', voicemail: true }), 'Leaving a message'],
  ])('%#', (c, want) => expect(progress(c, names)).toBe(want))
})

const plan: Plan = {
  policy: 'standard', caller: '+12025550900', called: '+12025550001', known: true, contacts: ['c1'],
  trace: [
    { step: 'workflow', outcome: 'skipped', reason: 'no_workflow' },
    { step: 'contact_owner', outcome: 'stage', reason: 'contact_owned', users: [{ user: 'bob', rings: ['browser', 'desk'] }] },
    { step: 'unknown_rules', outcome: 'dropped', reason: 'nobody_available', match: 'rule:Night', users: [{ user: 'ann', unavailable: 'dnd' }] },
    {
      step: 'forwarding', outcome: 'stage', reason: 'forward_to', number: '+12025550003',
      trace: [
        { step: 'number_user', outcome: 'stage', reason: 'user_assigned', users: [{ user: 'ann', rings: ['browser'] }] },
        { step: 'company_phone', outcome: 'stage', reason: 'company_phone' },
        { step: 'voicemail', outcome: 'end', reason: 'voicemail' },
      ],
    },
    { step: 'voicemail', outcome: 'end', reason: 'voicemail' },
  ],
  stages: [],
}
const states = (answered: number, reached: number, mailbox: boolean) =>
  traceLines(plan, names, answered, reached, mailbox).map((l) => `${'.'.repeat(l.depth)}${l.state}`)

describe('the trace', () => {
  it('marks the stage that was answered, counting the stages of inner plans', () => {
    expect(states(1, 1, false)).toEqual(['skipped', 'rang', 'dropped', 'answered', '.answered', '.planned', '.planned', 'planned'])
  })
  it('marks what rang in vain, and the mailbox that took the call', () => {
    expect(states(-1, 2, true)).toEqual(['skipped', 'rang', 'dropped', 'rang', '.rang', '.rang', '.planned', 'ended'])
  })
  it('marks nothing when nothing rang', () => {
    expect(states(-1, -1, false)).toEqual(['skipped', 'planned', 'dropped', 'planned', '.planned', '.planned', '.planned', 'planned'])
  })
  it('is in words', () => {
    const lines = traceLines(plan, names, 0, 0, false)
    expect(lines[0]).toMatchObject({ title: 'Menu of the number', text: 'Skipped: the number has no menu' })
    expect(lines[1]).toMatchObject({ text: 'The contact is theirs', users: ['Bob Ray (you) on browser, desk phone'] })
    expect(lines[2]).toMatchObject({ text: 'Dropped: nobody could be rung', users: ['Ann Lee does not want to be disturbed'] })
    expect(lines[3]).toMatchObject({ title: 'Forwarding: Lettings' })
  })
})

describe('a record', () => {
  const rec = (change: Partial<Call>): Call => ({
    id: 'c', direction: 'inbound', from: { number: '+12025550900' }, to: { number: '+12025550001' }, start: '2026-03-01T10:00:00Z',
    disposition: 'answered', unclaimed: false, recorded: false, participants: [], contacts: [], legs: [], events: [], ...change,
  })
  it.each([
    [rec({ answered_by: { user: 'bob', name: 'Bob Ray' } }), 'Answered'],
    [rec({ answered_by: { user: 'ann', name: 'Ann Lee' } }), 'Answered by Ann Lee'],
    [rec({ disposition: 'missed' }), 'Missed'],
    [rec({ disposition: 'missed', direction: 'outbound', from: { user: 'bob' } }), 'No answer'],
    [rec({ disposition: 'voicemail' }), 'Left a message'],
    [rec({ disposition: 'interrupted' }), 'Cut off by a restart'],
    [rec({ disposition: 'failed', code: 404 }), 'This number does not exist'],
    [rec({ disposition: 'busy', code: 603 }), 'Declined'],
  ])('$disposition', (c, want) => expect(outcome(c, 'bob')).toBe(want))

  it('tells which stages rang and which was answered', () => {
    const legs = [-1, 0, 1, 1].map((stage, i) => ({ peer: 'x', stage, start: '', ...(i === 3 ? { answer: '2026-03-01T10:00:09Z' } : {}) }))
    expect(stagesOf(rec({ legs }))).toEqual({ answered: 1, reached: 1 })
    expect(stagesOf(rec({ legs: [] }))).toEqual({ answered: -1, reached: -1 })
  })
})
