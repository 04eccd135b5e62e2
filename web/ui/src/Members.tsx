import { ActionIcon, Badge, Group, Switch, Text } from '@mantine/core'
import { IconMicrophone, IconMicrophoneOff, IconUserMinus, IconVolume } from '@tabler/icons-react'
import { api } from './api'
import type { LiveCall } from './types'
import type { Names } from './why'
import { memberName } from './calls'

interface Props {
  call: LiveCall
  names: Names
  moderator: boolean
  act: (what: Promise<void>) => void
}

// Members is who is in a conference, who of them speaks, and for its moderator, what can be done about it.
export function Members({ call, names, moderator, act }: Props) {
  const members = call.legs.filter((l) => l.member && l.state === 'up')
  const locked = call.room?.locked ?? false
  return (
    <section aria-label="In this conference" className="why" data-testid="members">
      <Group justify="space-between" mb={4}>
        <Text size="sm" fw={600}>
          {members.length} in this conference
        </Text>
        {locked && !moderator && <Badge variant="light">Locked</Badge>}
        {moderator && <Switch size="xs" label="Locked" checked={locked} onChange={(e) => act(api.lock(call.id, e.currentTarget.checked))} data-testid="conference-lock" />}
      </Group>
      {members.map((leg) => {
        const name = memberName(leg, names)
        const mine = leg.user === names.me
        return (
          <Group key={leg.id} wrap="nowrap" gap={6} py={2} data-testid="member" data-speaking={leg.speaking}>
            <IconVolume size={16} aria-label={leg.speaking ? 'speaks' : undefined} aria-hidden={!leg.speaking} style={{ flex: 'none', opacity: leg.speaking ? 1 : 0.15 }} />
            <Text size="sm" style={{ flex: 1, minWidth: 0 }} truncate>
              {name}
              {mine && ' (you)'}
            </Text>
            {moderator && !mine && (
              <>
                <ActionIcon variant="subtle" color="gray" onClick={() => act(api.muteMember(call.id, leg.id, !leg.muted))} aria-pressed={leg.muted} aria-label={leg.muted ? `Let ${name} speak` : `Mute ${name}`} data-testid="member-mute">
                  {leg.muted ? <IconMicrophoneOff size={16} /> : <IconMicrophone size={16} />}
                </ActionIcon>
                <ActionIcon variant="subtle" color="red.9" onClick={() => act(api.kick(call.id, leg.id))} aria-label={`Remove ${name}`} data-testid="member-kick">
                  <IconUserMinus size={16} />
                </ActionIcon>
              </>
            )}
            {(!moderator || mine) && leg.muted && <IconMicrophoneOff size={16} aria-label="muted" />}
          </Group>
        )
      })}
    </section>
  )
}
