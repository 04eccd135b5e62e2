// The server's API by fetch. Errors are ApiError with what the server said.

import type { Alert, Call, CallRecording, DemoNumber, LiveCall, Me, MessageBox, Reach, Registration, Voicemail } from './types'

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  let res: Response
  try {
    res = await fetch(path, {
      method,
      credentials: 'same-origin',
      ...(body instanceof Blob ? { body, headers: { 'Content-Type': 'audio/wav' } } : body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
  } catch {
    throw new ApiError(0, 'The server cannot be reached.')
  }
  if (!res.ok) {
    const problem = (await res.json().catch(() => ({}))) as { detail?: string; title?: string }
    throw new ApiError(res.status, problem.detail ?? problem.title ?? `The server answered ${res.status}.`)
  }
  return (res.status === 204 || res.status === 202 ? undefined : await res.json()) as T
}

const id = encodeURIComponent

// recordingURL is the sound of a recording.
export const recordingURL = (call: string, recording: string) => `/api/calls/${id(call)}/recordings/${id(recording)}/audio`

// greetingURL is the audio of a mailbox's own greeting.
export const greetingURL = (box: string, kind: string) => `/api/mailboxes/${id(box)}/greetings/${kind}`

export const api = {
  me: () => ask<Me>('GET', '/api/me'),
  signIn: (login: string, password: string) => ask<{ user: string }>('POST', '/api/session', { login, password }),
  signInByLink: (token: string) => ask<{ user: string }>('POST', '/api/session', { token }),
  signOut: () => ask<void>('DELETE', '/api/session'),
  calls: (q: { before?: string; everybody?: boolean }) => {
    const params = new URLSearchParams({ limit: '50' })
    if (q.before) params.set('before', q.before)
    if (q.everybody) params.set('everybody', 'true')
    return ask<{ calls: Call[]; next?: string }>('GET', `/api/calls?${params}`)
  },
  call: (call: string) => ask<Call>('GET', `/api/calls/${id(call)}`),
  recordings: (call: string) => ask<{ recordings: CallRecording[] }>('GET', `/api/calls/${id(call)}/recordings`).then((r) => r.recordings),
  deleteRecording: (call: string, recording: string) => ask<void>('DELETE', `/api/calls/${id(call)}/recordings/${id(recording)}`),
  alerts: () => ask<{ alerts: Alert[] }>('GET', '/api/alerts').then((r) => r.alerts),
  dismissAlert: (kind: string) => ask<void>('DELETE', `/api/alerts/${id(kind)}`),
  claim: (call: string) => ask<Call>('POST', `/api/calls/${id(call)}/claim`),
  active: () => ask<{ calls: LiveCall[] }>('GET', '/api/active').then((r) => r.calls),
  hangUp: (call: string) => ask<void>('DELETE', `/api/active/${id(call)}`),
  transfer: (call: string, to: string, voicemail = false) => ask<void>('POST', `/api/active/${id(call)}/transfer`, { to, voicemail }),
  complete: (call: string, by: string) => ask<void>('POST', `/api/active/${id(call)}/complete`, { with: by }),
  merge: (call: string, other: string) => ask<void>('POST', `/api/active/${id(call)}/merge`, { with: other }),
  park: (call: string) => ask<void>('POST', `/api/active/${id(call)}/park`, {}),
  record: (call: string, how: 'start' | 'stop' | 'pause' | 'resume') => ask<void>('POST', `/api/active/${id(call)}/record`, { do: how }),
  kick: (call: string, leg: string) => ask<void>('POST', `/api/active/${id(call)}/kick`, { leg }),
  muteMember: (call: string, leg: string, on: boolean) => ask<void>('POST', `/api/active/${id(call)}/mute`, { leg, on }),
  lock: (call: string, on: boolean) => ask<void>('POST', `/api/active/${id(call)}/lock`, { on }),
  voicemails: () => ask<{ voicemails: Voicemail[] }>('GET', '/api/voicemails').then((r) => r.voicemails),
  setHeard: (vm: string, heard: boolean) => ask<Voicemail>('PUT', `/api/voicemails/${id(vm)}/heard`, { heard }),
  setSaved: (vm: string, saved: boolean) => ask<Voicemail>('PUT', `/api/voicemails/${id(vm)}/saved`, { saved }),
  restoreVoicemail: (vm: string) => ask<Voicemail>('POST', `/api/voicemails/${id(vm)}/restore`),
  forwardVoicemail: (vm: string, to: string) => ask<void>('POST', `/api/voicemails/${id(vm)}/forward`, { to }),
  mailboxes: () => ask<{ mailboxes: MessageBox[] }>('GET', '/api/mailboxes').then((r) => r.mailboxes),
  setPIN: (box: string, pin: string) => ask<void>('PUT', `/api/mailboxes/${id(box)}/pin`, { pin }),
  setMail: (box: string, mail: string) => ask<void>('PUT', `/api/mailboxes/${id(box)}/mail`, { mail }),
  putGreeting: (box: string, kind: string, audio: Blob) => ask<void>('PUT', greetingURL(box, kind), audio),
  recordGreeting: (box: string, kind: string) => ask<{ id: string }>('POST', `${greetingURL(box, kind)}/record`),
  deleteGreeting: (box: string, kind: string) => ask<void>('DELETE', greetingURL(box, kind)),
  reach: () => ask<Reach>('GET', '/api/me/reach'),
  setReach: (reach: Reach) => ask<Reach>('PUT', '/api/me/reach', reach),
  deleteVoicemail: (vm: string) => ask<void>('DELETE', `/api/voicemails/${id(vm)}`),
  audioURL: (vm: string) => `/api/voicemails/${id(vm)}/audio`,
  registrations: () => ask<{ registrations: Registration[] }>('GET', '/api/registrations').then((r) => r.registrations),
  demo: () => ask<{ numbers: DemoNumber[] }>('GET', '/api/demo').then((r) => r.numbers),
  callMe: () => ask<void>('POST', '/api/demo/call', {}),
}
