import { ActionIcon, Badge, Button, Center, Group, Popover, Stack, Text, Tooltip } from '@mantine/core'
import { IconMailOpened, IconMail, IconPhone, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { api } from './api'
import { ago, clock, prettyNumber } from './format'
import type { Live } from './live'
import { useStore } from './store'
import type { Me, Voicemail } from './types'
import { partyName } from './why'

// isMine: a message in one's own box or in a shared one. Owners and admins see the others' boxes too, but what they hear
// there stays new for its owner.
export function isMine(vm: Voicemail, me: Me): boolean {
  return !vm.mailbox.user || vm.mailbox.user === me.user.id
}

export function Voicemails({ me, live, onDial }: { me: Me; live: Live; onDial: (number: string) => void }) {
  const { voicemails } = useStore(live.state)
  const [problem, setProblem] = useState('')
  const act = (work: Promise<unknown>) => void work.then(() => setProblem('')).catch((err: unknown) => setProblem(err instanceof Error ? err.message : String(err)))
  if (voicemails.length === 0) {
    return (
      <Center py={48}>
        <Text c="dimmed">No messages.</Text>
      </Center>
    )
  }
  return (
    <>
      {problem && (
        <Text c="red" size="sm" role="alert" mb="xs">
          {problem}
        </Text>
      )}
      <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: 'none' }} aria-label="Voicemails" data-testid="voicemails">
        {voicemails.map((v) => (
          <Message
            key={v.id} vm={v} mine={isMine(v, me)} onDial={onDial}
            onHeard={(heard) => act(api.setHeard(v.id, heard).then((r) => live.voicemailChanged(r, false)))}
            onDelete={() => act(api.deleteVoicemail(v.id).then(() => live.voicemailChanged(v, true)))}
          />
        ))}
      </Stack>
    </>
  )
}

interface MessageProps {
  vm: Voicemail
  mine: boolean
  onDial: (number: string) => void
  onHeard: (heard: boolean) => void
  onDelete: () => void
}

function Message({ vm, mine, onDial, onHeard, onDelete }: MessageProps) {
  const [asking, setAsking] = useState(false)
  const who = partyName(vm.from)
  return (
    <li className="row" data-testid="voicemail" data-heard={vm.heard}>
      <Group justify="space-between" wrap="nowrap">
        <div style={{ minWidth: 0 }}>
          <Group gap={8} wrap="nowrap">
            <Text fw={vm.heard ? 500 : 700} truncate>
              {who}
            </Text>
            {!vm.heard && (
              <Badge size="sm" variant="filled" color="cyan.9" tt="none" style={{ flex: 'none' }}>
                New
              </Badge>
            )}
          </Group>
          <Text size="xs" c="dimmed">
            {vm.from.name && `${prettyNumber(vm.from.number)}, `}
            {ago(vm.left, new Date())}, {clock(vm.seconds)}, in {vm.mailbox.user ? `${vm.mailbox.name ?? vm.mailbox.user}’s box` : `the box of ${partyName(vm.mailbox)}`}
          </Text>
        </div>
        <Group gap={4} wrap="nowrap">
          {vm.from.number && vm.from.number !== 'anonymous' && (
            <ActionIcon variant="light" color="green" size="lg" aria-label={`Call ${who}`} onClick={() => onDial(vm.from.number!)}>
              <IconPhone size={18} />
            </ActionIcon>
          )}
          <Tooltip label={vm.heard ? 'Mark as new' : 'Mark as heard'}>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={vm.heard ? 'Mark as new' : 'Mark as heard'} onClick={() => onHeard(!vm.heard)} data-testid="voicemail-heard">
              {vm.heard ? <IconMail size={18} /> : <IconMailOpened size={18} />}
            </ActionIcon>
          </Tooltip>
          <Popover opened={asking} onChange={setAsking} trapFocus withArrow position="bottom-end">
            <Popover.Target>
              <ActionIcon variant="subtle" color="red" size="lg" aria-label={`Delete the message of ${who}`} onClick={() => setAsking(!asking)} data-testid="voicemail-delete">
                <IconTrash size={18} />
              </ActionIcon>
            </Popover.Target>
            <Popover.Dropdown>
              <Text size="sm" mb="xs">
                Delete this message for good?
              </Text>
              <Group gap="xs" justify="flex-end">
                <Button size="xs" variant="default" onClick={() => setAsking(false)}>
                  Keep
                </Button>
                <Button size="xs" color="red.9" onClick={onDelete} data-testid="voicemail-delete-yes">
                  Delete
                </Button>
              </Group>
            </Popover.Dropdown>
          </Popover>
        </Group>
      </Group>
      <audio
        controls preload="none" src={api.audioURL(vm.id)} aria-label={`Message of ${who}`} data-testid="voicemail-audio" style={{ marginTop: 8 }}
        onPlay={() => mine && !vm.heard && onHeard(true)}
      />
    </li>
  )
}
