// Why a phone rings, and how a call was routed, in plain words.

import { codeText } from './causes'
import { prettyNumber } from './format'
import type { Call, LiveCall, LiveLeg, Me, Party, Plan, Row, RowUser } from './types'

// Names knows what ids and numbers are called.
export interface Names {
  me: string
  user(id: string): string
  number(number: string): string // of ours, or an extension
}

export function namesOf(me: Me): Names {
  return {
    me: me.user.id,
    user: (id) => me.people.find((p) => p.id === id)?.name ?? id,
    number: (n) => me.ours.find((p) => p.number === n)?.name || me.people.find((p) => p.extension === n)?.name || prettyNumber(n),
  }
}

// partyName is what to call somebody: the name, else the number, else that it is withheld.
export function partyName(p: Party | undefined): string {
  if (!p) return 'Unknown'
  return p.name || prettyNumber(p.number) || 'Unknown caller'
}

// whyItRings says why a call rings this user: one sentence, '' when there is nothing to say.
export function whyItRings(call: LiveCall, leg: LiveLeg | undefined, names: Names): string {
  const line = call.to.name || prettyNumber(call.to.number)
  if (call.direction === 'internal') return `${partyName(call.from)} calls your extension.`
  if (!leg?.step) return ''
  const late = call.stage > 0 ? ' Nobody answered before.' : ''
  return sentence(leg, call, line, names) + late
}

function sentence(leg: LiveLeg, call: LiveCall, line: string, names: Names): string {
  const rule = /^rule:(.*)$/.exec(leg.match ?? '')?.[1]
  switch (leg.step) {
    case 'number_user':
      return `${line} is your number.`
    case 'contact_owner':
      return call.from.name ? `You own the contact ${call.from.name}.` : 'You own this contact.'
    case 'unknown_rules':
      return rule ? `Rule “${rule}” of ${line} rings you for callers nobody owns.` : `${line} rings you for callers nobody owns.`
    case 'ring_group':
      return `You are in the ring group of ${line}.`
    case 'workflow':
      return `The menu of ${line} led the caller to you.`
    case 'forwarding':
      return `${line} is forwarded to you.`
    default:
      return `${line} rings ${leg.user ? names.user(leg.user) : 'you'}.`
  }
}

// progress says how a call in progress is doing, in a few words.
export function progress(call: LiveCall, names: Names): string {
  if (call.voicemail) return 'Leaving a message'
  if (call.orbit) return `Parked on ${call.orbit}`
  if (call.transfer) return `Being transferred to ${names.number(call.transfer)}`
  if (call.room) return `Conference of ${call.legs.filter((l) => l.member).length}`
  if (call.legs.filter((l) => l.state === 'up').length > 1) return 'Connected'
  if (call.phase === 'up') return call.answered_by ? `With ${partyName(call.answered_by)}` : 'Connected'
  const rung = call.legs.filter((l) => !l.caller && l.state === 'ringing').map((l) => (l.user ? names.user(l.user) : prettyNumber(l.peer)))
  return rung.length > 0 ? `Rings ${[...new Set(rung)].join(', ')}` : 'Connecting'
}

const stepNames: Record<string, string> = {
  workflow: 'Menu of the number',
  number_user: 'User of the number',
  contact_owner: 'Owner of the contact',
  unknown_rules: 'Rules for callers nobody owns',
  ring_group: 'Ring group',
  forwarding: 'Forwarding',
  company_phone: 'Company phone',
  voicemail: 'Voicemail',
  hangup: 'Hang up',
  extension: 'Extension',
  outbound: 'Outside line',
  feature: 'Feature code',
  intercom: 'Intercom',
  emergency: 'Emergency number',
}

const reasons: Record<string, string> = {
  when_not_met: 'its condition does not hold',
  no_workflow: 'the number has no menu',
  no_user: 'the number has no user',
  no_owner: 'nobody owns this caller',
  has_owner: 'the caller has an owner',
  no_rule: 'no rule is active',
  no_ring_group: 'the number has no ring group',
  no_forwarding: 'the number is not forwarded',
  no_company_phone: 'the company has no phone of its own',
  no_user_phone: 'the user has no outside line',
  not_for_texts: 'it is for calls only',
  nobody_available: 'nobody could be rung',
  loop: 'it would come back to where it started',
  over_limit: 'the number has no room for another call',
  after_match: 'an earlier step was taken',
  after_end: 'the plan had ended',
  workflow: 'the number has a menu',
  user_assigned: 'the number is assigned to them',
  contact_owned: 'the contact is theirs',
  default_rule: 'the default rule',
  ring_group: 'the number rings them together',
  forward_to: 'the number is forwarded',
  company_phone: 'the company’s own phone',
  voicemail: 'the caller may leave a message',
  hangup: 'the call ends here',
  dialled: 'as dialled',
  unknown_number: 'the number is not in service',
  unknown_code: 'there is no such code',
  emergency: 'always goes out',
}

// services is what a feature code does, by the names that plans and records have for it.
export const services: Record<string, string> = {
  echo: 'echo test',
  voicemail: 'mailbox',
  'voicemail-any': 'mailbox',
  'dnd-on': 'do not disturb on',
  'dnd-off': 'do not disturb off',
  'forward-on': 'forwarding on',
  'forward-off': 'forwarding off',
  redial: 'last caller',
  pickup: 'pickup of a ringing call',
  orbit: 'parking place',
  room: 'conference room',
  page: 'announcement to the phones of',
  invalid: 'no such code',
}

const absences: Record<string, string> = {
  is_caller: 'is the caller',
  dnd: 'does not want to be disturbed',
  outside_hours: 'is out of hours',
  busy: 'is on a call',
  unreachable: 'has no phone connected',
}

export function stepName(step: string): string {
  return stepNames[step] ?? step.replaceAll('_', ' ')
}

// reasonText says why routing took or left a step.
export function reasonText(reason: string): string {
  const rule = /^rule:(.*)$/.exec(reason)?.[1]
  if (rule !== undefined) return `rule “${rule}”`
  return reasons[reason] ?? reason.replaceAll('_', ' ')
}

function userText(u: RowUser, names: Names): string {
  const name = u.user === names.me ? `${names.user(u.user)} (you)` : names.user(u.user)
  if (u.unavailable) return `${name} ${absences[u.unavailable] ?? u.unavailable}`
  return u.rings?.length ? `${name} on ${u.rings.map(kindName).join(', ')}` : name
}

const kinds: Record<string, string> = { browser: 'browser', desk: 'desk phone', mobile: 'mobile', phone: 'outside line', trunk: 'outside line' }

export function kindName(kind: string): string {
  return kinds[kind] ?? kind
}

// TraceLine is a step of the routing trace, ready to read.
export interface TraceLine {
  depth: number
  title: string
  text: string
  users: string[]
  state: 'rang' | 'answered' | 'planned' | 'ended' | 'dropped' | 'skipped'
}

// traceLines makes the trace readable. Stages count in the order in which they were tried; answered is the index of the one
// that was answered, reached that of the last one that rang (-1 = none).
export function traceLines(plan: Plan, names: Names, answered: number, reached: number, inMailbox: boolean): TraceLine[] {
  let stage = -1
  const walk = (rows: Row[], depth: number): TraceLine[] =>
    rows.flatMap((row) => {
      const inner = row.trace ?? []
      const line: TraceLine = {
        depth,
        title: stepName(row.step) + (row.number ? `: ${names.number(row.number)}` : ''),
        text: row.step === 'feature' && services[row.reason] ? sentenceCase(services[row.reason]!) : rowText(row),
        users: (row.users ?? []).map((u) => userText(u, names)),
        state: 'skipped',
      }
      switch (row.outcome) {
        case 'stage':
          if (inner.length === 0) {
            stage++
            line.state = stage === answered ? 'answered' : stage <= reached ? 'rang' : 'planned'
          } else {
            line.state = 'planned'
          }
          break
        case 'dropped':
          line.state = 'dropped'
          break
        case 'end':
          if (row.step === 'feature' && row.reason in services && row.reason !== 'invalid') line.state = 'answered'
          else line.state = depth === 0 && answered < 0 && inMailbox ? 'ended' : 'planned'
          break
      }
      const below = walk(inner, depth + 1)
      const best = below.find((l) => l.state === 'answered') ?? below.find((l) => l.state === 'rang')
      if (row.outcome === 'stage' && best) line.state = best.state
      return [line, ...below]
    })
  return walk(plan.trace ?? [], 0)
}

function rowText(row: Row): string {
  const why = reasonText(row.reason)
  switch (row.outcome) {
    case 'skipped':
      return `Skipped: ${why}`
    case 'dropped':
      return `Dropped: ${why}`
    case 'not_reached':
      return `Not reached: ${why}`
    default:
      return sentenceCase(why)
  }
}

function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

// stagesOf says which stages of a call's plan rang, and which one was answered (-1 = none).
export function stagesOf(call: Call): { answered: number; reached: number } {
  const legs = call.legs.filter((l) => l.stage >= 0)
  const answered = legs.find((l) => l.answer && call.disposition === 'answered')
  return { answered: answered ? answered.stage : -1, reached: Math.max(-1, ...legs.map((l) => l.stage)) }
}

// refusal says why a call was refused before any step, '' when it was not.
export function refusal(plan: Plan | undefined): string {
  if (plan?.end?.action !== 'refuse') return ''
  return `Refused: ${reasonText(plan.end.reason ?? 'refused')}`
}

// hasWords reports whether a step or reason of routing is known here.
export function hasWords(name: string): boolean {
  return name in stepNames || name in reasons || name in absences
}

// outcome says how a call went, in a few words.
export function outcome(call: Call, me: string): string {
  const by = partyName(call.answered_by)
  switch (call.disposition) {
    case 'answered':
      return call.direction === 'inbound' && call.answered_by?.user !== me ? `Answered by ${by}` : 'Answered'
    case 'voicemail':
      return 'Left a message'
    case 'missed':
      if (call.direction === 'inbound' || call.from.user !== me) return 'Missed'
      return call.code === 487 ? 'Cancelled' : 'No answer'
    case 'busy':
      return call.code === 603 ? 'Declined' : 'Busy'
    case 'refused':
      return 'Refused'
    case 'failed':
      return (call.code && codeText(call.code)) || 'Failed'
    case 'interrupted':
      return 'Cut off by a restart'
    default:
      return call.disposition
  }
}
