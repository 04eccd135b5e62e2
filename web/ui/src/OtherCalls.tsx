import { ActionIcon, Button, Group, Text } from '@mantine/core'
import { IconPhoneOff, IconPlayerPause } from '@tabler/icons-react'
import { liveOf, otherName } from './calls'
import type { Live } from './live'
import type { Phone, PhoneCall } from './phone'
import { useStore } from './store'
import type { Names } from './why'

interface Props {
  calls: PhoneCall[] // all but the one in front
  phone: Phone
  live: Live
  names: Names
}

// OtherCalls is the calls that wait while one is in another.
export function OtherCalls({ calls, phone, live, names }: Props) {
  const { active } = useStore(live.state)
  if (calls.length === 0) return null
  return (
    <section aria-label="Other calls" style={{ marginTop: 'var(--mantine-spacing-sm)' }} data-testid="other-calls">
      {calls.map((c) => {
        const name = otherName(c, liveOf(c, active, names.me), names)
        return (
          <Group key={c.id} className="row" wrap="nowrap" gap="xs" data-testid="other-call" data-held={c.held}>
            <IconPlayerPause size={18} aria-hidden style={{ flex: 'none' }} />
            <div style={{ flex: 1, minWidth: 0 }}>
              <Text size="sm" fw={600} truncate>
                {name}
              </Text>
              <Text size="xs" c="dimmed">
                {c.phase === 'up' ? (c.held ? 'On hold' : 'Connected') : 'Calling…'}
              </Text>
            </div>
            <Button size="compact-sm" variant="default" onClick={() => (c.phase === 'up' ? void phone.resume(c.id) : phone.show(c.id))} aria-label={`Go to the call with ${name}`} data-testid="other-resume">
              {c.held ? 'Resume' : 'Show'}
            </Button>
            <ActionIcon variant="subtle" color="red.9" size="lg" onClick={() => phone.hangUp(c.id)} aria-label={`Hang up the call with ${name}`} data-testid="other-hangup">
              <IconPhoneOff size={18} />
            </ActionIcon>
          </Group>
        )
      })}
    </section>
  )
}
