// What the server tells as it happens: calls in progress, recent calls, voicemails. The lists are read once and then kept
// up to date by events; after a gap they are read anew.

import { api } from './api'
import { Store } from './store'
import type { Alert, Call, LiveCall, Voicemail } from './types'

export interface LiveState {
  connected: boolean
  active: LiveCall[]
  calls: Call[]
  next: string | undefined // where the next page of calls begins
  everybody: boolean // the list shows everybody's calls
  voicemails: Voicemail[]
  alerts: Alert[] // for owners and admins
  loaded: boolean
  error: string
}

export class Live {
  readonly state = new Store<LiveState>({
    connected: false, active: [], calls: [], next: undefined, everybody: false, voicemails: [], alerts: [], loaded: false, error: '',
  })
  private source: EventSource | undefined
  private retry: ReturnType<typeof setTimeout> | undefined
  private stopped = false

  constructor(
    private readonly me: string,
    private readonly admin: boolean,
    private readonly onGone: () => void, // the session may be over
    private readonly onAnswer: (sipCallID: string) => void, // somebody asked for it by the API
  ) {}

  start(): void {
    this.stopped = false
    const source = new EventSource('/api/events')
    this.source = source
    source.onopen = () => this.state.set({ connected: true })
    source.onerror = () => {
      this.state.set({ connected: false })
      if (source.readyState !== EventSource.CLOSED || this.stopped) return // the browser reconnects by itself
      this.onGone()
      this.retry = setTimeout(() => this.start(), 5000)
    }
    const on = <T>(name: string, f: (data: T) => void) =>
      source.addEventListener(name, (e) => f(JSON.parse((e as MessageEvent<string>).data) as T))
    on<{ resumed: boolean }>('hello', (e) => {
      if (!e.resumed) void this.reload()
    })
    on<{ kind: string; call: LiveCall }>('call', (e) => this.activeChanged(e.call))
    on<{ call: Call }>('record', (e) => this.recordChanged(e.call))
    on<{ id: string }>('record_gone', (e) => this.state.set({ calls: this.state.get().calls.filter((c) => c.id !== e.id) }))
    on<{ sip_call_id: string }>('answer', (e) => this.onAnswer(e.sip_call_id))
    on<{ alert: Alert; gone: boolean }>('alert', (e) => this.alertChanged(e.alert, e.gone))
    on<{ voicemail: Voicemail; deleted: boolean }>('voicemail', (e) => this.voicemailChanged(e.voicemail, e.deleted))
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.retry)
    this.source?.close()
    this.state.set({ connected: false })
  }

  async reload(): Promise<void> {
    const everybody = this.state.get().everybody
    try {
      const [active, page, voicemails, alerts] = await Promise.all([api.active(), api.calls({ everybody }), api.voicemails(), this.admin ? api.alerts() : []])
      this.state.set({ active, calls: page.calls, next: page.next, voicemails, alerts, loaded: true, error: '' })
    } catch (err) {
      this.state.set({ loaded: true, error: err instanceof Error ? err.message : String(err) })
    }
  }

  async more(): Promise<void> {
    const { next, everybody, calls } = this.state.get()
    if (!next) return
    const page = await api.calls({ before: next, everybody })
    this.state.set({ calls: [...calls, ...page.calls], next: page.next })
  }

  showEverybody(everybody: boolean): void {
    this.state.set({ everybody })
    void this.reload()
  }

  recordChanged(call: Call): void {
    const { calls, everybody } = this.state.get()
    // An owner hears of everybody's calls; the list of one's own takes only those it would have been given.
    const mine = everybody || (call.claimed_by ? call.claimed_by.user === this.me : call.participants.includes(this.me))
    const rest = calls.filter((c) => c.id !== call.id)
    if (!mine) return this.state.set({ calls: rest })
    this.state.set({ calls: [...rest, call].sort((a, b) => b.start.localeCompare(a.start)) })
  }

  // voicemailChanged takes a message that is new or has changed. One that was deleted here or elsewhere stays as long as that
  // can be taken back: until it is told a second time, when it is removed.
  voicemailChanged(vm: Voicemail, gone: boolean): void {
    const { voicemails } = this.state.get()
    const known = voicemails.find((v) => v.id === vm.id)
    const rest = voicemails.filter((v) => v.id !== vm.id)
    const drop = gone && (!vm.deleted || !known || known.deleted !== undefined)
    this.state.set({ voicemails: drop ? rest : [...rest, vm].sort((a, b) => b.left.localeCompare(a.left)) })
  }

  private alertChanged(alert: Alert, gone: boolean): void {
    const rest = this.state.get().alerts.filter((a) => a.kind !== alert.kind)
    this.state.set({ alerts: gone ? rest : [...rest, alert] })
  }

  private activeChanged(call: LiveCall): void {
    const rest = this.state.get().active.filter((c) => c.id !== call.id)
    this.state.set({ active: call.phase === 'ended' ? rest : [...rest, call] })
  }
}
