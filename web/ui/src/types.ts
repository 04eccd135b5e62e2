// The API's types, as /api/openapi.json describes them.

export interface Party {
  number?: string
  name?: string
  user?: string
}

export interface Person {
  id: string
  name: string
  role: 'owner' | 'admin' | 'agent'
  email?: string
  extension?: string
}

export interface CallFrom {
  number: string
  label?: string
  kind: 'company' | 'personal'
  default: boolean
}

export interface Me {
  user: Person
  admin: boolean
  company: string
  region?: string
  numbers: CallFrom[]
  ours: Party[]
  people: Person[]
  phone: { sip_uri: string; ws_path: string; session: string }
  demo: boolean
  version: string
}

export interface RowUser {
  user: string
  rings?: string[] | null
  forwarded?: string
  unavailable?: string
}

export interface Row {
  step: string
  outcome: string
  reason: string
  match?: string
  users?: RowUser[] | null
  number?: string
  trace?: Row[] | null
}

export interface Target {
  user?: string
  via?: string[] | null
  phone?: string
  call_connect?: boolean
}

export interface Stage {
  step: string
  number?: string
  workflow?: string
  auto_answer?: boolean
  ring_seconds?: number
  targets?: Target[] | null
}

export interface Plan {
  policy?: string
  caller: string
  called: string
  known: boolean
  contacts: string[] | null
  owner?: string
  trace: Row[] | null
  stages?: Stage[] | null
  recording?: { mode: string; why?: string; announce?: boolean }
  emergency?: { location?: string; callback?: string }
  deliver?: { users?: string[] | null; unclaimed?: boolean; phone?: string } // texts
  end?: { action: string; mailbox?: { user?: string; number?: string }; code?: number; reason?: string }
}

export interface StreamStat {
  packets: number
  bytes: number
  lost: number
  jitter_ms: number
  rtt_ms?: number
  late?: number
  reordered?: number
  duplicates?: number
  burst?: number
  concealed_ms?: number
  r?: number
  mos?: number
}

export interface Leg {
  peer: string
  user?: string
  kind?: string
  trunk?: string
  stage: number
  start: string
  ringing?: string
  answer?: string
  end?: string
  code?: number
  reason?: string
  media?: { codec?: string; srtp?: string; in?: StreamStat; out?: StreamStat }
}

export type Direction = 'inbound' | 'outbound' | 'internal'

export interface Call {
  id: string
  direction: Direction
  from: Party
  to: Party
  start: string
  answer?: string
  end?: string
  disposition: string
  answered_by?: Party
  ended_by?: string
  code?: number
  reason?: string
  unclaimed: boolean
  recorded: boolean
  claimed_by?: Party
  voicemail?: string
  participants: string[]
  trunk?: string
  contacts: { id: string; name: string; owner?: string }[]
  legs: Leg[]
  events: { at: string; leg: number; what: string }[]
  plan?: Plan
}

export interface CallRecording {
  id: string
  start: string
  seconds: number
  format: string
  by?: string
  why: string
  ended: string
  pauses: { from: number; to: number; hold?: boolean }[] | null
  missing?: number
  deleted?: string
  deleted_by?: string
}

export interface LiveLeg {
  id: string
  peer: string
  name?: string
  user?: string
  kind?: string
  sip_call_id?: string
  caller: boolean
  state: string
  step?: string
  match?: string
  held: boolean
  member: boolean
  moderator: boolean
  muted: boolean
  speaking: boolean
  troubles?: string[] | null
}

export interface LiveRoom {
  kind: 'conference' | 'merged' | 'page'
  extension?: string
  name?: string
  locked: boolean
}

export interface LiveCall {
  id: string
  direction: Direction | ''
  from: Party
  to: Party
  phase: string
  voicemail: boolean
  stage: number
  start: string
  answer?: string
  answered_by?: Party
  transfer?: string
  orbit?: string
  service?: string
  room?: LiveRoom
  emergency?: { location?: string; callback?: string }
  recording?: string
  legs: LiveLeg[]
}

export interface Voicemail {
  id: string
  mailbox: Party
  from: Party
  call: string
  left: string
  seconds: number
  heard: boolean
  heard_by?: string
  saved: boolean
  deleted?: string
  text?: string
  forwarded_by?: Party
}

export interface MessageBox {
  id: string
  box: Party
  shared: boolean
  new: number
  old: number
  pin: boolean
  mail: string
  greetings: string[] | null
}

export interface Reach {
  dnd: boolean
  forward: string
}

export interface DemoNumber {
  where: 'carrier' | 'system' | 'call'
  number: string
  label: string
  what: string
}

export interface Registration {
  user: string
  device: string
  kind: string
  transport: string
  source: string
  user_agent?: string
  since: string
  expires: string
}

export interface Alert {
  kind: string
  at: string
  times: number
  call?: string
  text: string
  remedy: string
}
