import { describe, expect, it } from 'vitest'
import { storyText } from './story'
import type { Names } from './why'

const people: Record<string, string> = { ann: 'Ann Lee', bob: 'Bob Ray' }
const names: Names = {
  me: 'ann',
  user: (id) => people[id] ?? id,
  number: (n) => (n === '202' ? 'Bob Ray' : n === '+12025550001' ? 'Main line' : n),
}
const other = '01a1fb4a-0104-7cf7-8c39-0f484866b7be'

describe('the story', () => {
  it.each([
    ['stage 1: contact_owner (contact_owned)', 'Stage 1: Owner of the contact (the contact is theirs)'],
    ['stage 2: unknown_rules (rule:Weekend)', 'Stage 2: Rules for callers nobody owns (rule “Weekend”)'],
    ['rings ann at browser', 'is rung'],
    ['rings +12025550190 over demo', 'is rung'],
    ['recording begins: by ann', 'recording begins: by Ann Lee'],
    ['is merged into another call of ann', 'is merged into another call of Ann Lee'],
    [`moves to call ${other}: merge`, 'goes on in another call: the calls were merged'],
    [`went on in call ${other} (transfer)`, 'went on in another call: it was transferred'],
    [`ended by caller: went on in call ${other} (merge)`, 'this call is over'],
    ['the transfer to 202 is done: answered', 'the transfer to Bob Ray is done: answered'],
    ['transfers +12025550001 to 202', 'transfers Main line to Bob Ray'],
    ['is parked on 701 by ann', 'is parked on 701 by Ann Lee'],
    ['service echo ', 'Dialled: echo test'],
    ['service room 801', 'Dialled: conference room 801'],
    ['service voicemail ann', 'Dialled: mailbox of Ann Lee'],
    ['ann enters the conference', 'enters the conference'],
    ['the service dnd-on ended the call', 'do not disturb on: done'],
    ['the transfer to 801 is done: with the service room', 'the transfer to 801 is done: conference room'],
    ['ended by caller: caller hung up', 'ended by caller: caller hung up'],
    ['answered by the workflow', 'answered by the workflow'],
  ])('%s', (what, want) => expect(storyText(what, names)).toBe(want))
})
