import { Button, Group, Text } from '@mantine/core'
import { IconPhoneCall } from '@tabler/icons-react'
import { useState } from 'react'
import { api } from './api'
import type { Live } from './live'
import { memberName } from './calls'
import { useStore } from './store'
import type { LiveCall, Me } from './types'
import { partyName, progress, type Names } from './why'

// InProgress is the calls that go on now: one's own, and everybody's for owners and admins, who may end them.
export function InProgress({ me, live, names, onDial }: { me: Me; live: Live; names: Names; onDial: (number: string) => void }) {
  const { active } = useStore(live.state)
  const [problem, setProblem] = useState('')
  if (active.length === 0) return null
  const hangUp = (id: string) => void api.hangUp(id).then(() => setProblem(''), (err: unknown) => setProblem(err instanceof Error ? err.message : String(err)))
  return (
    <section aria-label="Calls in progress" className="why" style={{ marginBottom: 'var(--mantine-spacing-sm)' }} data-testid="in-progress">
      {problem && (
        <Text size="sm" role="alert">
          {problem}
        </Text>
      )}
      {active.map((c) => (
        <Group key={c.id} wrap="nowrap" gap="sm" py={4}>
          <IconPhoneCall size={18} aria-hidden style={{ flex: 'none' }} />
          <div style={{ flex: 1, minWidth: 0 }}>
            <Text size="sm" fw={600} truncate>
              {title(c, names)}
            </Text>
            <Text size="xs">
              {progress(c, names)}, since {new Date(c.start).toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' })}
            </Text>
          </div>
          {c.orbit && (
            <Button size="compact-sm" onClick={() => onDial(c.orbit!)} aria-label={`Take the call of ${title(c, names)}`} data-testid="retrieve-call">
              Take
            </Button>
          )}
          {me.admin && (
            <Button size="compact-sm" variant="default" onClick={() => hangUp(c.id)} aria-label={`End the call of ${partyName(c.from)}`} data-testid="end-call">
              End
            </Button>
          )}
        </Group>
      ))}
    </section>
  )
}

// title is who is in the call: who waits on an orbit, who talks with whom, or at first who calls whom.
function title(c: LiveCall, names: Names): string {
  const up = c.legs.filter((l) => l.state === 'up').map((l) => memberName(l, names))
  if (c.orbit && up.length > 0) return up.join(', ')
  if (c.phase === 'up' && up.length > 1) return up.join(' ↔ ')
  return `${partyName(c.from)} → ${partyName(c.to)}`
}
