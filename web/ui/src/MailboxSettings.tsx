import { ActionIcon, Button, FileButton, Group, Modal, PasswordInput, Select, Stack, Text } from '@mantine/core'
import { IconPhone, IconSettings, IconTrash, IconUpload } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { api, greetingURL } from './api'
import type { MessageBox } from './types'
import { partyName } from './why'

const mails = [
  { value: 'default', label: 'As the server is set up' },
  { value: 'attach', label: 'Mail with the message attached' },
  { value: 'link', label: 'Mail with a link' },
  { value: 'off', label: 'No mail' },
]

const greetings = [
  ['unavailable', 'When nobody answers'],
  ['busy', 'When the line is busy'],
  ['temporary', 'For the time being, before all others'],
] as const

// MailboxSettings is what one can set of one's mailboxes: PIN, mails and greetings.
export function MailboxSettings() {
  const [boxes, setBoxes] = useState<MessageBox[]>()
  const [problem, setProblem] = useState('')
  const load = () => api.mailboxes().then((b) => (setBoxes(b), setProblem('')), (err: unknown) => setProblem(err instanceof Error ? err.message : String(err)))
  const act = (work: Promise<unknown>) => void work.then(load, (err: unknown) => setProblem(err instanceof Error ? err.message : String(err)))
  return (
    <>
      <Button variant="subtle" color="gray" size="compact-sm" leftSection={<IconSettings size={16} />} onClick={() => void load()} data-testid="mailbox-settings">
        Greetings and PIN
      </Button>
      <Modal opened={!!boxes} onClose={() => setBoxes(undefined)} title="Mailboxes" size="lg">
        {problem && (
          <Text c="red.9" size="sm" role="alert" mb="sm">
            {problem}
          </Text>
        )}
        <Stack gap="xl">{boxes?.map((b) => <Box key={b.id} box={b} act={act} />)}</Stack>
      </Modal>
      {problem && !boxes && <Text size="sm">{problem}</Text>}
    </>
  )
}

function Box({ box, act }: { box: MessageBox; act: (work: Promise<unknown>) => void }) {
  const [pin, setPIN] = useState('')
  const name = box.shared ? `The box of ${partyName(box.box)}` : `${partyName(box.box)}’s box`
  const savePIN = (pin: string) => {
    act(api.setPIN(box.id, pin))
    setPIN('')
  }
  return (
    <section aria-label={name} data-testid="mailbox">
      <Text fw={600}>{name}</Text>
      <Text size="sm" c="dimmed" mb="sm">
        {box.new} new, {box.old} heard. Dial *97 to listen by phone.
      </Text>
      <Stack gap="sm">
        <Group align="flex-end" gap="xs">
          <PasswordInput
            style={{ flex: 1 }} label="PIN" description={box.pin ? 'Set. A new one replaces it.' : 'None: the box opens from its owner’s own phones only.'} placeholder="4 to 10 digits"
            value={pin} onChange={(e) => setPIN(e.currentTarget.value.replace(/\D/g, ''))} inputMode="numeric" autoComplete="off" data-testid="mailbox-pin"
          />
          <Button variant="default" disabled={pin.length < 4} onClick={() => savePIN(pin)} data-testid="mailbox-pin-save">
            Set
          </Button>
          {box.pin && (
            <Button variant="default" onClick={() => savePIN('')}>
              Remove
            </Button>
          )}
        </Group>
        <Select label="Tell of new messages by mail" data={mails} value={box.mail} allowDeselect={false} onChange={(m) => m && act(api.setMail(box.id, m))} />
        {greetings.map(([kind, what]) => (
          <Greeting key={kind} box={box} kind={kind} what={what} act={act} />
        ))}
      </Stack>
    </section>
  )
}

function Greeting({ box, kind, what, act }: { box: MessageBox; kind: string; what: string; act: (work: Promise<unknown>) => void }) {
  const own = box.greetings?.includes(kind) ?? false
  const [calls, setCalls] = useState(0) // recordings that were begun by phone
  useEffect(() => {
    if (!calls) return
    const timer = setInterval(() => act(Promise.resolve()), 5000) // until the dialog is closed: nobody tells when it is kept
    return () => clearInterval(timer)
  }, [calls]) // eslint-disable-line react-hooks/exhaustive-deps
  const record = () => act(api.recordGreeting(box.id, kind).then(() => setCalls((n) => n + 1)))
  return (
    <div>
      <Text size="sm" fw={500}>
        Greeting: {what.charAt(0).toLowerCase() + what.slice(1)}
      </Text>
      <Group gap="xs" wrap="nowrap">
        {own ? <audio controls preload="none" key={calls} src={greetingURL(box.id, kind)} aria-label={what} style={{ flex: 1, minWidth: 0 }} /> : <Text size="sm" c="dimmed" style={{ flex: 1 }}>The standard greeting</Text>}
        <Button variant="default" size="compact-sm" leftSection={<IconPhone size={16} />} onClick={record} aria-label={`Record a greeting by phone: ${what}`} data-testid={`greeting-record-${kind}`}>
          Record by phone
        </Button>
        <FileButton accept="audio/wav,audio/ogg,.wav,.ogg,.opus" onChange={(file) => file && act(api.putGreeting(box.id, kind, file))}>
          {(props) => (
            <Button {...props} variant="default" size="compact-sm" leftSection={<IconUpload size={16} />} aria-label={`Upload a greeting: ${what}`}>
              Upload
            </Button>
          )}
        </FileButton>
        {own && (
          <ActionIcon variant="subtle" color="red" onClick={() => act(api.deleteGreeting(box.id, kind))} aria-label={`Delete the greeting: ${what}`}>
            <IconTrash size={18} />
          </ActionIcon>
        )}
      </Group>
      {calls > 0 && (
        <Text size="sm" c="dimmed" role="status">
          Your phone rings. Answer, speak after the tone, press pound, and keep it by 1.
        </Text>
      )}
    </div>
  )
}
