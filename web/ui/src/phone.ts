// The phone: JsSIP over the server's WebSocket, its calls as plain values for the page, and their sound.

import * as JsSIP from 'jssip'
import type { RTCSession, EndEvent } from 'jssip/lib/RTCSession'
import type { IncomingRequest } from 'jssip/lib/SIPMessage'
import { causeText, microphoneText, reasonHeader } from './causes'
import { playRing, playRingback, type Stop } from './sound'
import { Store } from './store'

export type Phase = 'ringing' | 'calling' | 'connecting' | 'up' | 'ended'

export interface PhoneCall {
  id: string
  sipCallID: string
  direction: 'in' | 'out'
  number: string
  name: string
  phase: Phase
  early: boolean // the far end already sends sound
  answeredAt: number // Date.now(), 0 = not yet
  endedAt: number
  muted: boolean
  held: boolean // by us
  digits: string
  note: string // why it ended
  consults: string // id of the call that shall be passed on to this one, '' = none
}

export interface PhoneState {
  link: 'off' | 'connecting' | 'up' | 'down'
  registered: boolean
  attempts: number // failed attempts to connect in a row
  error: string // for people: microphone, registration
  calls: PhoneCall[]
  focus: string // id of the call in front, '' = none
}

interface Line {
  session: RTCSession
  speaker: HTMLAudioElement
  microphone?: MediaStream
}

// CallTo is how to call somebody.
export interface CallTo {
  callerID?: string
  consults?: string // the call that shall perhaps be passed on to them
}

const ENDED_STAYS = 4000 // ms that an ended call is still shown
const HOLD_TIME = 3000 // ms that a call may take to go on hold
const REREGISTER = [3, 10, 30] // s after which a refused registration is tried again

export class Phone {
  readonly state = new Store<PhoneState>({ link: 'off', registered: false, attempts: 0, error: '', calls: [], focus: '' })
  private readonly ua: JsSIP.UA
  private readonly lines = new Map<string, Line>()
  private sound: { name: string; stop: Stop } | undefined
  private refusals = 0
  private again: ReturnType<typeof setTimeout> | undefined
  private stopped = false

  // rawAudio switches the browser's echo cancellation, noise suppression and gain control off: they distort test tones.
  constructor(
    private readonly sipURI: string,
    displayName: string,
    wsPath: string,
    private readonly rawAudio: boolean,
    private readonly onRefused: () => void, // the session may be over
  ) {
    const url = new URL(wsPath, location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    this.ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(url.href)],
      uri: sipURI,
      display_name: displayName,
      register: true,
      register_expires: 300,
      session_timers: true,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 20,
      user_agent: 'Strowger web phone',
    })
    this.listen()
  }

  start(): void {
    this.stopped = false
    this.ua.start()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.again)
    this.hush()
    for (const id of [...this.lines.keys()]) this.hangUp(id)
    this.ua.stop()
    this.state.set({ link: 'off', registered: false })
  }

  // peer is the peer connection of the call that has sound, for tests and statistics.
  peer(): RTCPeerConnection | undefined {
    const { calls } = this.state.get()
    const call = calls.find((c) => c.phase === 'up' && !c.held) ?? calls.find((c) => c.phase !== 'ended')
    return call && this.lines.get(call.id)?.session.connection
  }

  // call dials; the call one is in goes on hold first.
  async call(number: string, { callerID = '', consults = '' }: CallTo = {}): Promise<void> {
    if (this.state.get().calls.some((c) => c.phase === 'calling' || c.phase === 'connecting')) {
      this.state.set({ error: 'Wait for the call that you are making, or cancel it.' })
      return
    }
    this.state.set({ error: '' })
    if (!(await this.holdOthers(''))) return
    const microphone = await this.openMicrophone()
    if (!microphone) return
    const host = this.sipURI.replace(/^.*@/, '')
    try {
      const session = this.ua.call(`sip:${encodeURIComponent(number).replace(/%2B/g, '+').replace(/%2A/g, '*')}@${host}`, {
        mediaStream: microphone,
        pcConfig: { iceServers: [] },
        extraHeaders: callerID ? [`P-Preferred-Identity: <sip:${callerID}@${host}>`] : [],
        sessionTimersExpires: 1800,
      })
      const line = this.lines.get(session.id)
      if (line) line.microphone = microphone
      this.change(session.id, { consults })
    } catch (err) {
      release(microphone)
      this.state.set({ error: err instanceof Error && err.name === 'INVALID_STATE_ERROR' ? 'The phone is not connected.' : `The call could not be started: ${String(err)}` })
    }
  }

  // answer takes a call; the one that one is in goes on hold, or ends.
  async answer(id: string, others: 'hold' | 'end' = 'hold'): Promise<void> {
    const line = this.lines.get(id)
    const call = this.find(id)
    if (!line || call?.phase !== 'ringing') return
    this.state.set({ error: '' })
    for (const other of this.state.get().calls) {
      const making = other.phase === 'calling' || other.phase === 'connecting'
      if (other.id !== id && (making || (others === 'end' && other.phase === 'up' && !other.held))) this.hangUp(other.id)
    }
    this.change(id, { phase: 'connecting' })
    this.state.set({ focus: id })
    if (!(await this.holdOthers(id))) {
      if (this.find(id)?.phase === 'connecting') this.change(id, { phase: 'ringing' })
      return
    }
    const microphone = await this.openMicrophone()
    if (!microphone) {
      if (this.find(id)?.phase === 'connecting') this.change(id, { phase: 'ringing' })
      return
    }
    if (line.session.isEnded()) return release(microphone)
    line.microphone = microphone
    line.session.answer({ mediaStream: microphone, pcConfig: { iceServers: [] }, sessionTimersExpires: 1800 })
  }

  // answerBy answers the call that has this Call-ID, if it rings here.
  answerBy(sipCallID: string): void {
    const call = this.state.get().calls.find((c) => c.sipCallID === sipCallID && c.phase === 'ringing')
    if (call) void this.answer(call.id)
  }

  // decline says no for the user: their other phones stop too (603). Busy would stop this page only.
  decline(id: string): void {
    this.lines.get(id)?.session.terminate({ status_code: 603, reason_phrase: 'Decline' })
  }

  hangUp(id: string): void {
    const session = this.lines.get(id)?.session
    if (!session || session.isEnded()) return
    if (session.direction === 'incoming' && !session.isEstablished()) session.terminate({ status_code: 486, reason_phrase: 'Busy Here' })
    else session.terminate()
  }

  // hold parks a call here: the other side hears music. False when it could not be done; the page says so.
  hold(id: string): Promise<boolean> {
    return this.setHeld(id, true)
  }

  // resume goes back to a held call; the one that one is in goes on hold.
  async resume(id: string): Promise<boolean> {
    this.state.set({ error: '', focus: id })
    return (await this.holdOthers(id)) && (await this.setHeld(id, false))
  }

  // show brings a call to the front as it is.
  show(id: string): void {
    this.state.set({ focus: id })
  }

  private async holdOthers(id: string): Promise<boolean> {
    const others = this.state.get().calls.filter((c) => c.id !== id && c.phase === 'up' && !c.held)
    const done = await Promise.all(others.map((c) => this.setHeld(c.id, true)))
    return done.every(Boolean)
  }

  private setHeld(id: string, held: boolean): Promise<boolean> {
    const session = this.lines.get(id)?.session
    if (!session?.isEstablished()) return Promise.resolve(true) // gone: nothing is in the way
    if (session.isOnHold().local === held) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (ok: boolean): void => {
        clearTimeout(late)
        if (!ok && !session.isEnded()) this.state.set({ error: held ? 'The call could not be put on hold. Try again.' : 'The call could not be resumed. Try again.' })
        resolve(ok || session.isEnded())
      }
      const late = setTimeout(() => settle(false), HOLD_TIME)
      const done = () => settle(true)
      if (!(held ? session.hold({}, done) : session.unhold({}, done))) settle(false)
    })
  }

  setMuted(id: string, muted: boolean): void {
    const session = this.lines.get(id)?.session
    if (!session) return
    if (muted) session.mute({ audio: true })
    else session.unmute({ audio: true })
    this.change(id, { muted })
  }

  sendDigit(id: string, digit: string): void {
    const call = this.find(id)
    if (!call || (call.phase !== 'up' && !call.early)) return
    this.lines.get(id)?.session.sendDTMF(digit, { duration: 160, interToneGap: 80, transportType: 'RFC2833' as never })
    this.change(id, { digits: (call.digits + digit).slice(-40) })
  }

  dismissError(): void {
    this.state.set({ error: '' })
  }

  private listen(): void {
    const { ua, state } = this
    ua.on('connecting', (e) => state.set({ link: 'connecting', attempts: e.attempts - 1 }))
    ua.on('connected', () => state.set({ link: 'up', attempts: 0 }))
    ua.on('disconnected', (e) => {
      state.set({ link: this.stopped ? 'off' : 'down', registered: false })
      if (e.code === 1008 && !this.stopped) this.onRefused() // policy: signed out or expired
    })
    ua.on('registered', () => {
      this.refusals = 0
      state.set({ registered: true, error: '' })
    })
    ua.on('unregistered', () => state.set({ registered: false }))
    ua.on('registrationFailed', (e) => this.refused(e.response?.status_code))
    ua.on('newRTCSession', (e: { session: RTCSession; request: unknown }) => this.adopt(e.session, e.request as IncomingRequest))
  }

  private refused(code: number | undefined): void {
    this.state.set({ registered: false })
    if (this.stopped || !this.ua.isConnected()) return // the connection's return registers anew
    if (code === 401 || code === 403 || code === 407) this.onRefused()
    this.state.set({ error: `The server refused to register this phone${code ? ` (${code})` : ''}. Trying again.` })
    const wait = REREGISTER[Math.min(this.refusals++, REREGISTER.length - 1)]!
    clearTimeout(this.again)
    this.again = setTimeout(() => {
      if (!this.stopped && this.ua.isConnected()) this.ua.register()
    }, wait * 1000)
  }

  private adopt(session: RTCSession, request: IncomingRequest): void {
    const incoming = session.direction === 'incoming'
    const remote = session.remote_identity
    const id = session.id
    this.lines.set(id, { session, speaker: this.newSpeaker(id) })
    const call: PhoneCall = {
      id, sipCallID: String((request as { call_id?: string }).call_id ?? ''), direction: incoming ? 'in' : 'out',
      number: decodeURIComponent(remote.uri.user ?? ''), name: remote.display_name ?? '', phase: incoming ? 'ringing' : 'calling',
      early: false, answeredAt: 0, endedAt: 0, muted: false, held: false, digits: '', note: '', consults: '',
    }
    this.update([...this.state.get().calls, call])
    if (!incoming) this.state.set({ focus: id })

    if (session.connection) this.hear(id, session.connection)
    session.on('peerconnection', (e) => this.hear(id, e.peerconnection))
    session.on('icecandidate', (e: { ready: () => void }) => e.ready()) // the server is ICE-lite: it learns our address from our checks
    session.on('progress', (e: unknown) => {
      const body = (e as { response?: { body?: string } }).response?.body
      if (!incoming && body) this.change(id, { early: true })
    })
    session.on('accepted', () => this.change(id, { phase: 'up', answeredAt: Date.now() }))
    session.on('hold', (e) => e.originator === 'local' && this.change(id, { held: true }))
    session.on('unhold', (e) => e.originator === 'local' && this.change(id, { held: false }))
    session.on('ended', (e) => this.over(id, e))
    session.on('failed', (e) => this.over(id, e))
  }

  private over(id: string, e: EndEvent): void {
    const line = this.lines.get(id)
    if (line?.microphone) release(line.microphone)
    line?.speaker.remove()
    this.lines.delete(id)
    const call = this.find(id)
    const message = e.message as { status_code?: number; getHeader?: (n: string) => string | undefined } | null
    const reason = reasonHeader(message?.getHeader?.('Reason'))
    const code = call?.direction === 'out' && !call.answeredAt ? message?.status_code : undefined
    const note = e.originator === 'local' && e.cause !== 'User Denied Media Access' ? localEnd(call) : causeText(code, e.cause, reason)
    this.change(id, { phase: 'ended', endedAt: Date.now(), note })
    setTimeout(() => this.update(this.state.get().calls.filter((c) => c.id !== id)), ENDED_STAYS)
  }

  private newSpeaker(id: string): HTMLAudioElement {
    const speaker = document.createElement('audio')
    speaker.autoplay = true
    speaker.dataset.testid = 'remote-audio'
    speaker.dataset.call = id
    document.body.append(speaker)
    return speaker
  }

  private hear(id: string, peer: RTCPeerConnection): void {
    peer.addEventListener('track', (e) => {
      const speaker = this.lines.get(id)?.speaker
      if (!speaker) return
      speaker.srcObject = e.streams[0] ?? new MediaStream([e.track])
      speaker.play().catch(() => undefined) // refused only before the first touch; answering is one
    })
  }

  private async openMicrophone(): Promise<MediaStream | undefined> {
    try {
      if (!navigator.mediaDevices) throw Object.assign(new Error(), { name: 'InsecureContext' })
      const on = !this.rawAudio
      return await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: on, noiseSuppression: on, autoGainControl: on },
        video: false,
      })
    } catch (err) {
      this.state.set({ error: microphoneText(err) })
      return undefined
    }
  }

  private find(id: string): PhoneCall | undefined {
    return this.state.get().calls.find((c) => c.id === id)
  }

  private change(id: string, change: Partial<PhoneCall>): void {
    this.update(this.state.get().calls.map((c) => (c.id === id ? { ...c, ...change } : c)))
  }

  private update(calls: PhoneCall[]): void {
    this.state.set({ calls })
    const talking = calls.some((c) => c.phase === 'up')
    if (calls.some((c) => c.phase === 'ringing') && !talking) this.play('ring', playRing)
    else if (calls.some((c) => c.phase === 'calling' && !c.early)) this.play('ringback', playRingback)
    else this.hush()
  }

  private play(name: string, start: () => Stop): void {
    if (this.sound?.name === name) return
    this.hush()
    this.sound = { name, stop: start() }
  }

  private hush(): void {
    this.sound?.stop()
    this.sound = undefined
  }
}

function release(microphone: MediaStream): void {
  for (const t of microphone.getTracks()) t.stop()
}

// localEnd is what to say when this side ended the call.
function localEnd(call: PhoneCall | undefined): string {
  if (!call || call.answeredAt) return 'Call ended'
  return call.direction === 'in' ? 'Declined' : 'Cancelled'
}
