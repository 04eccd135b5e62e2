import { Avatar, Button, Group, Stack, Text } from '@mantine/core'
import { IconArrowRight, IconPhoneOff } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { api } from './api'
import { CallActions, type Panel } from './CallActions'
import { legOf, liveOf, otherName, otherNumber, waitingText } from './calls'
import { clock, initials, shownNumber } from './format'
import { Keypad } from './Keypad'
import type { Live } from './live'
import { Members } from './Members'
import { PassOn } from './PassOn'
import type { Phone, PhoneCall } from './phone'
import { useShortcut } from './shortcut'
import { useStore } from './store'
import type { LiveCall, Me } from './types'
import type { Names } from './why'

interface Props {
  call: PhoneCall
  phone: Phone
  live: Live
  me: Me
  names: Names
  onDial: (number: string, consults: string) => void
}

// CallPanel is the call that one is in, from dialling to a few seconds after its end.
export function CallPanel({ call, phone, live, me, names, onDial }: Props) {
  const { active } = useStore(live.state)
  const { calls } = useStore(phone.state)
  const [panel, setPanel] = useState<Panel>('')
  const [problem, setProblem] = useState('')
  const known = liveOf(call, active, names.me)
  const over = call.phase === 'ended'
  const frame = useRef<HTMLDivElement>(null)
  const canKey = call.phase === 'up' || call.early
  const held = calls.filter((c) => c.id !== call.id && c.phase === 'up' && c.held)
  const asked = held.find((c) => c.id === call.consults) // the call that shall perhaps go to this party
  const partner = asked ?? held[0]
  const partnerLive = partner && liveOf(partner, active, names.me)
  const shown = useRef({ id: '', name: '' }) // what the server called them, which it forgets at the end
  if (known) shown.current = { id: call.id, name: otherName(call, known, names) }
  const name = shown.current.id === call.id ? shown.current.name : otherName(call, known, names)

  // act does something by the server and says when it could not.
  const act = (what: Promise<unknown>) => {
    setProblem('')
    what.then(() => setPanel(''), (err: unknown) => setProblem(err instanceof Error ? err.message : String(err)))
  }

  // merge joins the held call with this one. Whoever is called from a conference room is sent into it; the room stays as it is.
  const merge = async (): Promise<void> => {
    if (!known || !partner || !partnerLive) return
    const [room, guest] = partnerLive.room?.kind === 'conference' ? [partnerLive, known] : [known, partnerLive]
    if (room.room?.kind !== 'conference' || !room.room.extension) return api.merge(known.id, partnerLive.id)
    await api.transfer(guest.id, room.room.extension)
    if (room === partnerLive) await phone.resume(partner.id)
  }
  useShortcut('KeyH', () => !over && phone.hangUp(call.id))

  // What was pressed to come here is gone or disabled: the next Tab belongs to the call.
  useEffect(() => {
    frame.current?.scrollIntoView({ block: 'nearest' }) // a narrow page may show the list that it was dialled from
    if (document.activeElement === document.body) frame.current?.focus({ preventScroll: true })
    setPanel('')
    setProblem('')
  }, [call.id])

  // Keys of the keyboard are digits of the call, unless somebody writes elsewhere.
  useEffect(() => {
    if (!canKey) return
    const onKey = (e: KeyboardEvent) => {
      const writing = e.target instanceof HTMLElement && e.target.closest('input, textarea, [role="combobox"]')
      if (!writing && !e.ctrlKey && !e.metaKey && !e.altKey && /^[0-9*#]$/.test(e.key)) phone.sendDigit(call.id, e.key)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [canKey, call.id, phone])

  return (
    <Stack ref={frame} tabIndex={-1} role="group" aria-label={`Call with ${name}`} style={{ outline: 'none', scrollMargin: 24 }} gap="md" align="stretch" data-testid="call-panel" data-phase={call.phase} data-held={call.held}>
      <Who call={call} known={known} name={name} me={me} names={names} />
      {problem && (
        <Text size="sm" role="alert" c="red.9" data-testid="call-problem">
          {problem}
        </Text>
      )}
      {asked && partnerLive && known && call.phase === 'up' && (
        <Button leftSection={<IconArrowRight size={18} />} onClick={() => act(api.complete(partnerLive.id, known.id))} data-testid="transfer-complete">
          Transfer {otherName(asked, partnerLive, names)} to {name}
        </Button>
      )}
      {known?.room && <Members call={known} names={names} moderator={me.admin || legOf(call, known, names.me)?.moderator === true} act={act} />}
      {!over && (
        <>
          <CallActions
            call={call} phone={phone} panel={panel} onPanel={setPanel} known={!!known} crowd={!!known?.room} recording={known?.recording ?? ''}
            onPark={() => known && act(api.park(known.id))} onRecord={(how) => known && act(api.record(known.id, how))}
            mergeWith={partner && partnerLive && !asked ? otherName(partner, partnerLive, names) : ''} onMerge={() => act(merge())}
          />
          {panel === 'keypad' && canKey && (
            <>
              <Text ta="center" ff="monospace" mih={24} aria-label="Digits sent" data-testid="call-digits">
                {call.digits}
              </Text>
              <Keypad label="Send digits" onKey={(d) => phone.sendDigit(call.id, d)} />
            </>
          )}
          {(panel === 'transfer' || panel === 'add') && call.phase === 'up' && known && (
            <PassOn
              key={panel} me={me} mode={panel} busy={calls.some((c) => c.phase === 'calling')} onTransfer={(to, voicemail) => act(api.transfer(known.id, to, voicemail))}
              onCall={(to) => onDial(to, panel === 'transfer' ? call.id : '')} onClose={() => setPanel('')}
            />
          )}
          <Group grow>
            <Button size="lg" color="red.9" leftSection={<IconPhoneOff size={20} />} aria-keyshortcuts="Alt+H" title="Alt+H" onClick={() => phone.hangUp(call.id)} data-testid="call-hangup">
              {call.phase === 'up' ? 'Hang up' : 'Cancel'}
            </Button>
          </Group>
        </>
      )}
    </Stack>
  )
}

// Who is on the line, and how the call is doing.
function Who({ call, known, name, me, names }: { call: PhoneCall; known: LiveCall | undefined; name: string; me: Me; names: Names }) {
  const number = shownNumber(otherNumber(call, known, me))
  const over = call.phase === 'ended'
  return (
    <Stack gap={4} align="center" pt="md">
      <Avatar size={72} radius={999} color="cyan" aria-hidden>
        {initials(name) || '#'}
      </Avatar>
      <Text fw={600} size="xl" ta="center" data-testid="call-name" style={{ overflowWrap: 'anywhere' }}>
        {name}
      </Text>
      {number && number !== name && <Text c="dimmed">{number}</Text>}
      <div role="status" aria-live="assertive">
        <Text c={over ? 'var(--mantine-color-text)' : 'dimmed'} fw={over ? 600 : 400} data-testid="call-state">
          {(call.phase === 'up' && known && waitingText(call, known, names)) || stateText(call)}
        </Text>
      </div>
      {call.phase === 'up' && <Timer since={call.answeredAt} />}
    </Stack>
  )
}

function stateText(call: PhoneCall): string {
  switch (call.phase) {
    case 'calling':
      return call.early ? 'Calling…' : 'Ringing…'
    case 'connecting':
      return 'Connecting…'
    case 'ended':
      return call.note || 'Call ended'
    case 'up':
      if (call.held) return 'On hold'
      return call.muted ? 'You are muted' : 'Connected'
    default:
      return ''
  }
}

function Timer({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const t = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(t)
  }, [])
  return (
    <Text ff="monospace" size="lg" role="timer" aria-label="Length of the call" data-testid="call-timer">
      {clock((now - since) / 1000)}
    </Text>
  )
}
