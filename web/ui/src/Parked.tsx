import { Button, Group, Text } from '@mantine/core'
import { IconParking } from '@tabler/icons-react'
import { title } from './calls'
import type { Live } from './live'
import { useStore } from './store'
import { progress, type Names } from './why'

// Parked is the calls that wait for whoever takes them, whatever else the page shows. One's own phone may be what waits.
export function Parked({ live, names, onDial }: { live: Live; names: Names; onDial: (orbit: string) => void }) {
  const { active } = useStore(live.state)
  const parked = active.filter((c) => c.orbit && !c.legs.some((l) => l.user === names.me && l.state === 'up'))
  if (parked.length === 0) return null
  return (
    <section aria-label="Parked calls" style={{ marginTop: 'var(--mantine-spacing-sm)' }} data-testid="parked">
      {parked.map((c) => (
        <Group key={c.id} className="row" wrap="nowrap" gap="xs">
          <IconParking size={18} aria-hidden style={{ flex: 'none' }} />
          <div style={{ flex: 1, minWidth: 0 }}>
            <Text size="sm" fw={600} truncate>
              {title(c, names)}
            </Text>
            <Text size="xs" c="dimmed">
              {progress(c, names)}
            </Text>
          </div>
          <Button size="compact-sm" onClick={() => onDial(c.orbit!)} aria-label={`Take the call of ${title(c, names)}`} data-testid="retrieve-call">
            Take
          </Button>
        </Group>
      ))}
    </section>
  )
}
