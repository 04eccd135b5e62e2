import { Avatar, Button, Group, Kbd, Stack, Text } from '@mantine/core'
import { IconArrowGuide, IconPhone, IconPhoneOff } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import { legOf, liveOf, otherName } from './calls'
import { initials, prettyNumber, shownNumber } from './format'
import type { Live } from './live'
import type { Phone, PhoneCall } from './phone'
import { useShortcut } from './shortcut'
import { useStore } from './store'
import { whyItRings, type Names } from './why'

interface Props {
  calls: PhoneCall[] // those that ring
  phone: Phone
  live: Live
  names: Names
}

// Incoming is the pop-up of calls that ring. It does not block the page: somebody may be writing, or on another call.
export function Incoming({ calls, phone, live, names }: Props) {
  const first = calls[0]
  useShortcut('KeyA', () => first && void phone.answer(first.id))
  useShortcut('KeyD', () => first && phone.decline(first.id))
  if (!first) return null
  return (
    <div className="incoming">
      <Stack>
        {calls.map((c, i) => (
          <Ringing key={c.id} call={c} first={i === 0} phone={phone} live={live} names={names} />
        ))}
      </Stack>
    </div>
  )
}

function Ringing({ call, first, phone, live, names }: { call: PhoneCall; first: boolean; phone: Phone; live: Live; names: Names }) {
  const { active } = useStore(live.state)
  const { calls } = useStore(phone.state)
  const busy = calls.some((c) => c.phase === 'up' || c.phase === 'calling')
  const known = liveOf(call, active, names.me)
  const name = otherName(call, known, names)
  const number = shownNumber(known?.from.number ?? call.number)
  const why = known ? whyItRings(known, legOf(call, known, names.me), names) : ''
  const called = known && known.direction === 'inbound' ? known.to : undefined
  const answer = useRef<HTMLButtonElement>(null)

  // Take the focus, so that Enter answers, unless somebody is writing; give it back afterwards.
  useEffect(() => {
    const before = document.activeElement
    if (!first || (before instanceof HTMLElement && before.closest('input, textarea'))) return
    answer.current?.focus()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [first])

  return (
    <div role="alertdialog" aria-label={`Incoming call from ${name}`} aria-describedby={`why-${call.id}`} data-testid="incoming">
      <Group wrap="nowrap" align="flex-start">
        <Avatar size={52} radius={999} color="green" aria-hidden className="rings">
          {initials(name) || <IconPhone size={24} />}
        </Avatar>
        <div style={{ minWidth: 0, flex: 1 }}>
          <Text fw={700} size="lg" data-testid="incoming-name" style={{ overflowWrap: 'anywhere' }}>
            {name}
          </Text>
          {number && number !== name && (
            <Text size="sm" c="dimmed" data-testid="incoming-number">
              {number}
            </Text>
          )}
          {called && (
            <Text size="sm" data-testid="incoming-called">
              to {called.name || prettyNumber(called.number)}
              {called.name && (
                <Text span c="dimmed">
                  {' '}
                  {prettyNumber(called.number)}
                </Text>
              )}
            </Text>
          )}
        </div>
      </Group>
      <div id={`why-${call.id}`} aria-live="polite">
        {why && (
          <Group className="why" mt="sm" gap={8} wrap="nowrap" data-testid="incoming-why">
            <IconArrowGuide size={18} aria-hidden style={{ flex: 'none' }} />
            <span>{why}</span>
          </Group>
        )}
      </div>
      <Group grow mt="md" gap="xs">
        <Button color="red.9" size="md" px="xs" leftSection={<IconPhoneOff size={18} />} onClick={() => phone.decline(call.id)} aria-keyshortcuts="Alt+D" data-testid="incoming-decline">
          Decline
        </Button>
        <Button ref={answer} color="green.9" size="md" px="xs" leftSection={<IconPhone size={18} />} onClick={() => void phone.answer(call.id)} aria-keyshortcuts="Alt+A" data-testid="incoming-answer">
          {busy ? 'Hold and answer' : 'Answer'}
        </Button>
      </Group>
      {busy && (
        <Button variant="default" size="sm" mt="xs" fullWidth onClick={() => void phone.answer(call.id, 'end')} data-testid="incoming-end-answer">
          End the other call and answer
        </Button>
      )}
      {first && (
        <Text size="xs" c="dimmed" ta="center" mt={8} visibleFrom="sm">
          <Kbd size="xs">Alt</Kbd> <Kbd size="xs">A</Kbd> answers, <Kbd size="xs">Alt</Kbd> <Kbd size="xs">D</Kbd> declines
        </Text>
      )}
    </div>
  )
}
