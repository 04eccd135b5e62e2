import { Alert, Button, Group, Kbd, Stack, Text, Title, UnstyledButton } from '@mantine/core'
import { IconParking, IconPhone, IconPhoneIncoming, IconPhoneOutgoing, IconPlayerPause, IconPlayerRecord, IconUserPlus, type Icon } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { api } from './api'
import { prettyNumber } from './format'
import type { Phone } from './phone'
import { useStore } from './store'
import type { DemoNumber } from './types'

// DemoPanel is what a new user can try: being called, what is inside the system, what can be done with a call, and the simulated
// carrier's numbers, which misbehave.
export function DemoPanel({ phone, onDial }: { phone: Phone; onDial: (number: string) => void }) {
  const { registered, calls } = useStore(phone.state)
  const [numbers, setNumbers] = useState<DemoNumber[]>([])
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const row = { disabled: !registered || calls.some((c) => c.phase !== 'ended'), onDial }
  const busyLine = calls.some((c) => c.phase !== 'ended' && c.phase !== 'up') // while one talks, a second call may come

  useEffect(() => {
    api.demo().then(setNumbers, (err: unknown) => setProblem(err instanceof Error ? err.message : String(err)))
  }, [])

  const callMe = async () => {
    setBusy(true)
    try {
      await api.callMe()
      setProblem('')
    } catch (err) {
      setProblem(err instanceof Error ? err.message : String(err))
    }
    setBusy(false)
  }

  return (
    <Stack>
      <Group className="why" justify="space-between" p="md">
        <div style={{ flex: '1 1 240px' }}>
          <Text fw={600}>Get called</Text>
          <Text size="sm">A simulated carrier calls you. Answer and speak: it sends your voice back.</Text>
        </div>
        <Button size="md" leftSection={<IconPhoneIncoming size={20} />} onClick={() => void callMe()} loading={busy} disabled={!registered || busyLine} data-testid="call-me">
          Call me
        </Button>
      </Group>
      {problem && (
        <Alert color="red" variant="light" role="alert" data-testid="demo-error">
          {problem}
        </Alert>
      )}
      <List title="In this system" numbers={numbers.filter((n) => n.where === 'system')} text="Call these, or open the page in another browser as a colleague (strowger user link bob) and call each other." {...row} />
      <DuringACall keys={numbers.filter((n) => n.where === 'call')} />
      <List title="Outside numbers" numbers={numbers.filter((n) => n.where === 'carrier')} text="Each of the carrier’s numbers does one thing, so that you can try success and failure by hand." {...row} />
    </Stack>
  )
}

interface ListProps {
  title: string
  text: string
  numbers: DemoNumber[]
  disabled: boolean
  onDial: (number: string) => void
}

function List({ title, text, numbers, disabled, onDial }: ListProps) {
  if (numbers.length === 0) return null
  return (
    <section aria-label={title}>
      <Title order={2} size="h5">
        {title}
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {text}
      </Text>
      <ul className="trace">
        {numbers.map((n) => (
          <li key={n.number} style={{ display: 'block', padding: 0 }}>
            <UnstyledButton className="row" w="100%" disabled={disabled} onClick={() => onDial(n.number)} data-testid={`demo-${n.number}`} aria-label={`Call ${n.label}: ${n.what}`}>
              <Group wrap="nowrap" gap="sm">
                <IconPhone size={18} color="var(--mantine-color-green-7)" aria-hidden style={{ flex: 'none' }} />
                <div style={{ flex: 1, minWidth: 0 }}>
                  <Text size="sm" fw={600}>
                    {n.label}
                    <Text span className="narrow" ff="monospace" ml="sm">
                      {prettyNumber(n.number)}
                    </Text>
                  </Text>
                  <Text size="sm" c="dimmed">
                    {sentence(n.what)}
                  </Text>
                </div>
                <Text className="wide" size="sm" ff="monospace" style={{ flex: 'none' }}>
                  {prettyNumber(n.number)}
                </Text>
              </Group>
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </section>
  )
}

const tips: [Icon, string, string][] = [
  [IconPlayerPause, 'Hold', 'The caller hears music until you resume.'],
  [IconPhoneOutgoing, 'Transfer', 'At once, or ask first: talk to a colleague while the caller waits, then connect the two.'],
  [IconUserPlus, 'Add call', 'Call somebody else, then merge: everybody hears everybody.'],
  [IconParking, 'Park', 'The call waits where every colleague can take it. It is shown below the phone.'],
  [IconPlayerRecord, 'Record', 'Afterwards, open the call under Recent to listen.'],
]

// DuringACall says what the keys of the call panel do, and what a desk phone's user presses instead.
function DuringACall({ keys }: { keys: DemoNumber[] }) {
  return (
    <section aria-label="During a call">
      <Title order={2} size="h5" mb="xs">
        During a call
      </Title>
      <ul className="trace">
        {tips.map(([Sign, label, what]) => (
          <li key={label}>
            <Sign size={18} aria-hidden />
            <Text size="sm">
              <b>{label}.</b> {what}
            </Text>
          </li>
        ))}
      </ul>
      {keys.length > 0 && (
        <Text size="sm" c="dimmed" mt="xs">
          From a desk phone, by its keys:{' '}
          {keys.map((k, i) => (
            <span key={k.number}>
              {i > 0 && '; '}
              <Kbd size="xs">{k.number}</Kbd> {k.label.toLowerCase()} ({k.what})
            </span>
          ))}
          .
        </Text>
      )}
    </section>
  )
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
