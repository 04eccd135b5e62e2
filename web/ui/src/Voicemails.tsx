import { ActionIcon, Badge, Button, Center, Group, Stack, Text, Tooltip } from '@mantine/core'
import { IconMailOpened, IconMail, IconPhone, IconStar, IconStarFilled, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { api } from './api'
import { MailboxSettings } from './MailboxSettings'
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
  const update = (work: Promise<Voicemail>) => act(work.then((vm) => live.voicemailChanged(vm, false)))
  return (
    <>
      <Group justify="flex-end" mb="xs">
        <MailboxSettings />
      </Group>
      {problem && (
        <Text c="red.9" size="sm" role="alert" mb="xs">
          {problem}
        </Text>
      )}
      {voicemails.length === 0 && (
        <Center py={48}>
          <Text c="dimmed">No messages.</Text>
        </Center>
      )}
      <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: 'none' }} aria-label="Voicemails" data-testid="voicemails">
        {voicemails.map((v) =>
          v.deleted ? (
            <Deleted key={v.id} vm={v} onUndo={() => update(api.restoreVoicemail(v.id))} />
          ) : (
            <Message
              key={v.id} vm={v} mine={isMine(v, me)} onDial={onDial} onHeard={(heard) => update(api.setHeard(v.id, heard))} onSaved={(saved) => update(api.setSaved(v.id, saved))}
              onDelete={() => act(api.deleteVoicemail(v.id))}
            />
          ),
        )}
      </Stack>
    </>
  )
}

// Deleted stands where a message was as long as that can be taken back here.
function Deleted({ vm, onUndo }: { vm: Voicemail; onUndo: () => void }) {
  return (
    <li className="row" data-testid="voicemail-deleted">
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" c="dimmed" truncate>
          The message of {partyName(vm.from)} is deleted.
        </Text>
        <Button size="compact-sm" variant="default" onClick={onUndo} data-testid="voicemail-undo">
          Undo
        </Button>
      </Group>
    </li>
  )
}

interface MessageProps {
  vm: Voicemail
  mine: boolean
  onDial: (number: string) => void
  onHeard: (heard: boolean) => void
  onSaved: (saved: boolean) => void
  onDelete: () => void
}

function Message({ vm, mine, onDial, onHeard, onSaved, onDelete }: MessageProps) {
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
          <Tooltip label={vm.saved ? 'Saved' : 'Save'}>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Save the message of ${who}`} aria-pressed={vm.saved} onClick={() => onSaved(!vm.saved)} data-testid="voicemail-save">
              {vm.saved ? <IconStarFilled size={18} /> : <IconStar size={18} />}
            </ActionIcon>
          </Tooltip>
          <ActionIcon variant="subtle" color="red" size="lg" aria-label={`Delete the message of ${who}`} onClick={onDelete} data-testid="voicemail-delete">
            <IconTrash size={18} />
          </ActionIcon>
        </Group>
      </Group>
      {vm.forwarded_by && <Text size="xs">Forwarded by {partyName(vm.forwarded_by)}</Text>}
      {vm.text && (
        <Text size="sm" mt={6} data-testid="voicemail-text">
          “{vm.text}”
        </Text>
      )}
      <audio
        controls preload="none" src={api.audioURL(vm.id)} aria-label={`Message of ${who}`} data-testid="voicemail-audio" style={{ marginTop: 8 }}
        onPlay={() => mine && !vm.heard && onHeard(true)}
      />
    </li>
  )
}
