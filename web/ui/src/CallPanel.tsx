import { Avatar, Button, Group, Stack, Text } from '@mantine/core'
import { IconGridDots, IconMicrophone, IconMicrophoneOff, IconPhoneOff } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { clock, initials, shownNumber } from './format'
import { Keypad } from './Keypad'
import type { Live } from './live'
import type { Phone, PhoneCall } from './phone'
import { useShortcut } from './shortcut'
import { useStore } from './store'
import type { Me } from './types'
import { liveOf, otherName } from './calls'
import type { Names } from './why'

interface Props {
  call: PhoneCall
  phone: Phone
  live: Live
  me: Me
  names: Names
}

// CallPanel is the call that one is in, from dialling to a few seconds after its end.
export function CallPanel({ call, phone, live, names }: Props) {
  const { active } = useStore(live.state)
  const [keys, setKeys] = useState(false)
  const known = liveOf(call, active, names.me)
  const name = otherName(call, known, names)
  const number = shownNumber(call.number)
  const over = call.phase === 'ended'
  const panel = useRef<HTMLDivElement>(null)
  const canKey = call.phase === 'up' || call.early

  useShortcut('KeyM', () => call.phase === 'up' && phone.setMuted(call.id, !call.muted))
  useShortcut('KeyH', () => !over && phone.hangUp(call.id))

  // What was pressed to come here is gone or disabled: the next Tab belongs to the call.
  useEffect(() => {
    panel.current?.scrollIntoView({ block: 'nearest' }) // a narrow page may show the list that it was dialled from
    if (document.activeElement === document.body) panel.current?.focus({ preventScroll: true })
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
    <Stack ref={panel} tabIndex={-1} role="group" aria-label={`Call with ${name}`} style={{ outline: 'none', scrollMargin: 24 }} gap="md" align="stretch" data-testid="call-panel" data-phase={call.phase}>
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
            {known?.voicemail && call.phase === 'up' ? 'Voicemail: speak after the tone' : stateText(call)}
          </Text>
        </div>
        {call.phase === 'up' && <Timer since={call.answeredAt} />}
      </Stack>
      {!over && (
        <>
          <Group grow>
            <Button
              variant={call.muted ? 'filled' : 'default'} disabled={call.phase !== 'up'} aria-pressed={call.muted} aria-keyshortcuts="Alt+M" title="Alt+M"
              leftSection={call.muted ? <IconMicrophoneOff size={18} /> : <IconMicrophone size={18} />}
              onClick={() => phone.setMuted(call.id, !call.muted)} data-testid="call-mute"
            >
              {call.muted ? 'Muted' : 'Mute'}
            </Button>
            <Button variant={keys ? 'filled' : 'default'} disabled={!canKey} aria-expanded={keys} leftSection={<IconGridDots size={18} />} onClick={() => setKeys(!keys)} data-testid="call-keypad">
              Keypad
            </Button>
          </Group>
          {keys && canKey && (
            <>
              <Text ta="center" ff="monospace" mih={24} aria-label="Digits sent" data-testid="call-digits">
                {call.digits}
              </Text>
              <Keypad label="Send digits" onKey={(d) => phone.sendDigit(call.id, d)} />
            </>
          )}
          <Button size="lg" color="red.9" leftSection={<IconPhoneOff size={20} />} aria-keyshortcuts="Alt+H" title="Alt+H" onClick={() => phone.hangUp(call.id)} data-testid="call-hangup">
            {call.phase === 'up' ? 'Hang up' : 'Cancel'}
          </Button>
        </>
      )}
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
