import { ActionIcon, Avatar, Badge, Button, Container, Group, Popover, Stack, Text, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconLogout, IconMoon, IconSun } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { api } from './api'
import { initials } from './format'
import type { Live } from './live'
import type { Phone, PhoneState } from './phone'
import { useStore } from './store'
import type { Me, Reach, Registration } from './types'
import { ReachSettings } from './ReachSettings'
import { kindName } from './why'

interface Props {
  me: Me
  phone: Phone
  live: Live
  onSignOut: () => void
}

export function Header({ me, phone, live, onSignOut }: Props) {
  const { setColorScheme } = useMantineColorScheme()
  const dark = useComputedColorScheme('light') === 'dark'
  const state = useStore(phone.state)
  const { connected, loaded } = useStore(live.state)
  const [reach, setReach] = useReach(state.calls.length)
  const status = phoneStatus(state, connected || !loaded, reach)
  return (
    <header className="header">
      <Container size={1120} h={60} px={{ base: 'sm', sm: 'lg' }}>
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" style={{ minWidth: 0 }}>
            <img src="/favicon.svg" alt="" width={32} height={32} />
            <Text fw={600} truncate component="h1" m={0}>
              {me.company || 'Strowger'}
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap" style={{ flex: 'none' }}>
            <div role="status" aria-live="polite" style={{ flex: 'none' }}>
              <Badge variant="light" color={status.color} size="lg" tt="none" fw={500} data-testid="phone-status" data-registered={state.registered} className={status.busy ? 'pulse' : ''}>
                {status.text}
              </Badge>
            </div>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={dark ? 'Light colours' : 'Dark colours'} onClick={() => setColorScheme(dark ? 'light' : 'dark')}>
              {dark ? <IconSun size={20} /> : <IconMoon size={20} />}
            </ActionIcon>
            <UserMenu me={me} onReach={setReach} onSignOut={onSignOut} />
          </Group>
        </Group>
      </Container>
    </header>
  )
}

function UserMenu({ me, onReach, onSignOut }: { me: Me; onReach: (r: Reach) => void; onSignOut: () => void }) {
  const [phones, setPhones] = useState<Registration[]>([])
  const loadPhones = () => void api.registrations().then(setPhones, () => setPhones([]))
  return (
    <Popover position="bottom-end" width={280} onOpen={loadPhones} withinPortal={false} trapFocus returnFocus shadow="md">
      <Popover.Target>
        <UnstyledButton aria-label={`${me.user.name}, your phones and sign-out`} data-testid="user-menu">
          <Avatar color="cyan" radius={999} size={36} aria-hidden>
            {initials(me.user.name)}
          </Avatar>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <div>
            <Text fw={600}>{me.user.name}</Text>
            <Text size="sm" c="dimmed">
              {me.user.role}
              {me.user.extension && `, extension ${me.user.extension}`}
            </Text>
          </div>
          <div>
            <Text size="sm" fw={600}>
              Phones that ring for you
            </Text>
            {phones.map((r, i) => (
              <Text key={i} size="sm" c="dimmed" data-testid="my-phone">
                {phoneText(r, me)}
              </Text>
            ))}
            {phones.length === 0 && (
              <Text size="sm" c="dimmed">
                None
              </Text>
            )}
          </div>
          <ReachSettings onChange={onReach} />
          <Button variant="default" leftSection={<IconLogout size={16} />} onClick={onSignOut} data-testid="sign-out">
            Sign out
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

// useReach is whether calls reach one. Codes switch that too, so it is asked anew when a call is over and when one looks again.
function useReach(calls: number): [Reach | undefined, (r: Reach) => void] {
  const [reach, setReach] = useState<Reach>()
  useEffect(() => {
    const load = () => void api.reach().then(setReach, () => {})
    if (calls === 0) load()
    window.addEventListener('focus', load)
    return () => window.removeEventListener('focus', load)
  }, [calls])
  return [reach, setReach]
}

// phoneStatus says how the phone is, and whether that will pass by itself.
function phoneStatus(s: PhoneState, events: boolean, reach: Reach | undefined): { text: string; color: string; busy: boolean } {
  if (s.registered && events && reach?.dnd) return { text: 'Do not disturb', color: 'orange', busy: false }
  if (s.registered && events && reach?.forward) return { text: 'Forwarded', color: 'orange', busy: false }
  if (s.registered) return events ? { text: 'Ready', color: 'green', busy: false } : { text: 'Ready, no live view', color: 'yellow', busy: true }
  if (s.link === 'up') return { text: 'Registering…', color: 'yellow', busy: true }
  if (s.link === 'down' || s.attempts > 0) return { text: s.attempts > 0 ? `Reconnecting (${s.attempts})…` : 'Reconnecting…', color: 'red', busy: true }
  return { text: s.link === 'off' ? 'Off' : 'Connecting…', color: 'gray', busy: s.link !== 'off' }
}

function phoneText(r: Registration, me: Me): string {
  if (r.device === `browser:${me.phone.session}`) return 'This page'
  if (r.kind === 'browser') return 'Another page of yours'
  return `${kindName(r.kind)} ${r.device}`
}
