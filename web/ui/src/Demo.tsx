import { Alert, Button, Group, Stack, Text, Title, UnstyledButton } from '@mantine/core'
import { IconPhone, IconPhoneIncoming } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { api } from './api'
import { prettyNumber } from './format'
import type { Phone } from './phone'
import { useStore } from './store'
import type { DemoNumber } from './types'

// DemoPanel plays the carrier: it calls on request, and has numbers that misbehave.
export function DemoPanel({ phone, onDial }: { phone: Phone; onDial: (number: string) => void }) {
  const { registered, calls } = useStore(phone.state)
  const [numbers, setNumbers] = useState<DemoNumber[]>([])
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const inCall = calls.some((c) => c.phase !== 'ended')

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
        <Button size="md" leftSection={<IconPhoneIncoming size={20} />} onClick={() => void callMe()} loading={busy} disabled={!registered || inCall} data-testid="call-me">
          Call me
        </Button>
      </Group>
      {problem && (
        <Alert color="red" variant="light" role="alert" data-testid="demo-error">
          {problem}
        </Alert>
      )}
      <div>
        <Title order={2} size="h5">
          Numbers to dial
        </Title>
        <Text size="sm" c="dimmed" mb="xs">
          Each of the carrier’s numbers does one thing, so that you can try success and failure by hand.
        </Text>
        <ul className="trace" aria-label="Numbers to dial">
          {numbers.map((n) => (
            <li key={n.number} style={{ display: 'block', padding: 0 }}>
              <UnstyledButton className="row" w="100%" disabled={!registered || inCall} onClick={() => onDial(n.number)} data-testid={`demo-${n.number}`} aria-label={`Call ${n.label}: ${n.what}`}>
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
                      {n.what.charAt(0).toUpperCase() + n.what.slice(1)}
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
      </div>
    </Stack>
  )
}
