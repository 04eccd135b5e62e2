import { Button, Group, Text } from '@mantine/core'
import { IconPhoneCall } from '@tabler/icons-react'
import { useState } from 'react'
import { api } from './api'
import type { Live } from './live'
import { title } from './calls'
import { useStore } from './store'
import type { Me } from './types'
import { partyName, progress, type Names } from './why'

// InProgress is the calls that go on now: one's own, and everybody's for owners and admins, who may end them.
export function InProgress({ me, live, names }: { me: Me; live: Live; names: Names }) {
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
