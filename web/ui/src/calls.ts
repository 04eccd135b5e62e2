// Joins what the phone knows of a call (SIP) with what the server tells about it (events).

import { prettyNumber } from './format'
import type { PhoneCall } from './phone'
import type { LiveCall, LiveLeg, Me } from './types'
import { partyName, type Names } from './why'

// liveOf finds the server's view of the phone's call: by the Call-ID of one of its legs. Until that is known, an only
// ringing call from the same number will do.
export function liveOf(call: PhoneCall, active: LiveCall[], me: string): LiveCall | undefined {
  const exact = active.find((c) => c.legs.some((l) => l.sip_call_id !== undefined && l.sip_call_id === call.sipCallID))
  if (exact || call.direction === 'out') return exact
  const alike = active.filter((c) => c.from.number === call.number && c.legs.some((l) => l.user === me && !l.caller))
  return alike.length === 1 ? alike[0] : undefined
}

// legOf is the leg by which a call reaches this phone, or at least this user.
export function legOf(call: PhoneCall, live: LiveCall | undefined, me: string): LiveLeg | undefined {
  return live?.legs.find((l) => l.sip_call_id === call.sipCallID) ?? live?.legs.find((l) => l.user === me && !l.caller)
}

// otherName is what to call the other side.
export function otherName(call: PhoneCall, live: LiveCall | undefined, names: Names): string {
  if (live?.room) return live.room.name || 'Conference'
  const now = partner(call, live)
  if (now) return now.name || (now.user ? names.user(now.user) : prettyNumber(now.peer)) || 'Unknown caller'
  const other = call.direction === 'in' ? live?.from : live?.to
  return other?.name || call.name || (call.direction === 'out' ? names.number(call.number) : prettyNumber(call.number)) || 'Unknown caller'
}

// partner is with whom one talks now: after a transfer that is no longer who called or was called.
export function partner(call: PhoneCall, live: LiveCall | undefined): LiveLeg | undefined {
  if (call.phase !== 'up' || live?.phase !== 'up') return undefined
  const others = live.legs.filter((l) => l.state === 'up' && l.sip_call_id !== call.sipCallID)
  return others.length === 1 ? others[0] : undefined
}

// otherNumber is the number of the other side, '' in a room.
export function otherNumber(call: PhoneCall, live: LiveCall | undefined, me: Me): string {
  if (live?.room) return ''
  const now = partner(call, live)
  if (!now) return call.number
  return (now.user ? me.people.find((p) => p.id === now.user)?.extension : now.peer) ?? ''
}

// memberName is what to call somebody in a conference.
export function memberName(leg: LiveLeg, names: Names): string {
  return leg.name || (leg.user ? names.user(leg.user) : prettyNumber(leg.peer)) || 'Unknown caller'
}

// waitingText says what somebody who is connected waits for, '' when they simply talk.
export function waitingText(call: PhoneCall, live: LiveCall, names: Names): string {
  if (live.voicemail) return 'Voicemail: speak after the tone'
  if (live.transfer) return `Transferring to ${names.number(live.transfer)}…`
  if (live.orbit) return `Parked on ${live.orbit}`
  if (call.held) return 'On hold'
  const other = live.legs.find((l) => l.held && l.user !== names.me)
  if (other && !live.room) return `${other.user ? names.user(other.user) : partyName(live.from)} has put you on hold`
  return ''
}

// title is who is in the call: who waits on an orbit, who talks with whom, or at first who calls whom.
export function title(c: LiveCall, names: Names): string {
  const up = c.legs.filter((l) => l.state === 'up').map((l) => memberName(l, names))
  if (c.orbit && up.length > 0) return up.join(', ')
  if (c.phase === 'up' && up.length > 1) return up.join(' ↔ ')
  return `${partyName(c.from)} → ${partyName(c.to)}`
}
