import { Alert, Badge, Container, Tabs } from '@mantine/core'
import { IconAlertTriangle, IconFlask, IconHistory, IconRecordMail } from '@tabler/icons-react'
import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react'
import { Alerts } from './Alerts'
import { CallPanel } from './CallPanel'
import { liveOf, otherName } from './calls'
import { DemoPanel } from './Demo'
import { Emergencies } from './Emergencies'
import { Dialer } from './Dialer'
import { Header } from './Header'
import { InProgress } from './InProgress'
import { Incoming } from './Incoming'
import { Live } from './live'
import { OtherCalls } from './OtherCalls'
import { Parked } from './Parked'
import { Phone, type PhoneCall } from './phone'
import { Recents } from './Recents'
import { unlock } from './sound'
import { useStore } from './store'
import type { Me } from './types'
import { isMine, Voicemails } from './Voicemails'
import { namesOf } from './why'

const rawAudio = new URLSearchParams(location.search).get('media') === 'raw'

// Console is the page of somebody who is signed in: it owns their phone and the live view of the server.
export function Console({ me, onSignOut, onRefused }: { me: Me; onSignOut: () => void; onRefused: () => void }) {
  const phone = useMemo(() => new Phone(me.phone.sip_uri, me.user.name, me.phone.ws_path, rawAudio, onRefused), [me, onRefused])
  const live = useMemo(() => new Live(me.user.id, me.admin, onRefused, (id) => phone.answerBy(id)), [me, phone, onRefused])
  const names = useMemo(() => namesOf(me), [me])
  const { calls, error, focus } = useStore(phone.state)
  const { voicemails, calls: recent, active } = useStore(live.state)
  const [tab, setTab] = useState<string | null>(me.demo ? 'demo' : 'recent')
  const [callerID, setCallerID] = useState(() => me.numbers.find((n) => n.default)?.number ?? '')

  useEffect(() => {
    phone.start()
    live.start()
    window.strowger = { state: () => phone.state.get(), live: () => live.state.get(), peer: () => phone.peer(), phone }
    document.addEventListener('pointerdown', unlock, { once: true })
    return () => {
      phone.stop()
      live.stop()
      delete window.strowger
    }
  }, [phone, live])

  // Whoever closes the page hangs up; who does it during a call is asked first.
  const talking = calls.some((c) => c.phase !== 'ended' && c.phase !== 'ringing')
  useEffect(() => {
    const leave = (e: BeforeUnloadEvent) => {
      if (talking) e.preventDefault()
    }
    const gone = () => phone.stop()
    const back = (e: PageTransitionEvent) => {
      if (e.persisted) location.reload() // the phone was stopped when the page was put away
    }
    window.addEventListener('beforeunload', leave)
    window.addEventListener('pagehide', gone)
    window.addEventListener('pageshow', back)
    return () => {
      window.removeEventListener('beforeunload', leave)
      window.removeEventListener('pagehide', gone)
      window.removeEventListener('pageshow', back)
    }
  }, [phone, talking])

  // The phone leaves first: the server closes its socket at sign-out, which would look like a lost session.
  const signOut = () => {
    phone.stop()
    live.stop()
    onSignOut()
  }

  const current = inFront(calls, focus)
  const waiting = calls.filter((c) => c !== current && c.phase !== 'ringing' && c.phase !== 'ended')
  const ringing = calls.filter((c) => c.phase === 'ringing')
  const dial = useCallback((number: string, consults = '') => void phone.call(number, { callerID, consults }), [phone, callerID])

  const caller = ringing[0] && otherName(ringing[0], liveOf(ringing[0], active, me.user.id), names)
  useEffect(() => {
    document.title = caller ? `☎ ${caller} calls` : `${me.company || 'Phone'} · Strowger`
  }, [caller, me.company])

  const unheard = voicemails.filter((v) => !v.heard && isMine(v, me)).length
  const unclaimed = recent.filter((c) => c.unclaimed).length
  return (
    <>
      <Header me={me} phone={phone} live={live} onSignOut={signOut} />
      <Container component="main" size={1120} py="lg" px={{ base: 'sm', sm: 'lg' }}>
        <Emergencies live={live} me={me} />
        {error && (
          <Alert
            color="red" variant="light" icon={<IconAlertTriangle size={18} />} mb="md" withCloseButton closeButtonLabel="Dismiss"
            onClose={() => phone.dismissError()} role="alert" data-testid="phone-error"
          >
            {error}
          </Alert>
        )}
        <Alerts live={live} />
        <div className="columns">
          <section aria-label="Phone" className="card">
            {current ? (
              <CallPanel call={current} phone={phone} live={live} me={me} names={names} onDial={dial} />
            ) : (
              <Dialer me={me} phone={phone} callerID={callerID} onCallerID={setCallerID} onDial={dial} />
            )}
            <OtherCalls calls={waiting} phone={phone} live={live} names={names} />
            <Parked live={live} names={names} onDial={dial} />
          </section>
          <section aria-label="Calls and messages" className="card">
            <Tabs className="tabs" value={tab} onChange={setTab} keepMounted={false}>
              <Tabs.List mb="sm">
                {me.demo && (
                  <Tabs.Tab value="demo" leftSection={<IconFlask size={16} />} data-testid="tab-demo">
                    Try it
                  </Tabs.Tab>
                )}
                <Tabs.Tab value="recent" leftSection={<IconHistory size={16} />} rightSection={count(unclaimed, 'unclaimed')} data-testid="tab-recent">
                  Recent
                </Tabs.Tab>
                <Tabs.Tab value="voicemail" leftSection={<IconRecordMail size={16} />} rightSection={count(unheard, 'new')} data-testid="tab-voicemail">
                  Voicemail
                </Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="recent">
                <InProgress me={me} live={live} names={names} />
                <Recents me={me} live={live} names={names} onDial={dial} />
              </Tabs.Panel>
              <Tabs.Panel value="voicemail">
                <Voicemails me={me} live={live} onDial={dial} />
              </Tabs.Panel>
              {me.demo && (
                <Tabs.Panel value="demo">
                  <DemoPanel phone={phone} onDial={dial} />
                </Tabs.Panel>
              )}
            </Tabs>
          </section>
        </div>
      </Container>
      <Incoming calls={ringing} phone={phone} live={live} names={names} />
    </>
  )
}

// inFront is the call to show: the one that was chosen, else the one that one is in, else one that waits or has just ended.
function inFront(calls: PhoneCall[], focus: string): PhoneCall | undefined {
  const shown = calls.filter((c) => c.phase !== 'ringing')
  const live = shown.filter((c) => c.phase !== 'ended')
  return shown.find((c) => c.id === focus) ?? live.find((c) => !c.held) ?? live[0] ?? shown[0]
}

function count(n: number, what: string): ReactNode {
  if (n === 0) return null
  return (
    <Badge size="sm" color="red.9" variant="filled" circle={n < 10} aria-label={`${n} ${what}`} data-testid={`count-${what}`}>
      {n}
    </Badge>
  )
}

declare global {
  interface Window {
    // What end-to-end tests look at.
    strowger?: {
      state: () => ReturnType<Phone['state']['get']>
      live: () => ReturnType<Live['state']['get']>
      peer: () => RTCPeerConnection | undefined
      phone: Phone
    }
  }
}
