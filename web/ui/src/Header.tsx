import { ActionIcon, Avatar, Badge, Container, Group, Menu, Text, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconLogout, IconMoon, IconSun } from '@tabler/icons-react'
import { useState } from 'react'
import { api } from './api'
import { initials } from './format'
import type { Live } from './live'
import type { Phone, PhoneState } from './phone'
import { useStore } from './store'
import type { Me, Registration } from './types'
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
  const [phones, setPhones] = useState<Registration[]>([])
  const loadPhones = () => void api.registrations().then(setPhones, () => setPhones([]))
  const status = phoneStatus(state, connected || !loaded)
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
          <Group gap="xs" wrap="nowrap">
            <div role="status" aria-live="polite">
              <Badge variant="light" color={status.color} size="lg" tt="none" fw={500} data-testid="phone-status" data-registered={state.registered} className={status.busy ? 'pulse' : ''}>
                {status.text}
              </Badge>
            </div>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={dark ? 'Light colours' : 'Dark colours'} onClick={() => setColorScheme(dark ? 'light' : 'dark')}>
              {dark ? <IconSun size={20} /> : <IconMoon size={20} />}
            </ActionIcon>
            <Menu position="bottom-end" width={260} onOpen={loadPhones}>
              <Menu.Target>
                <UnstyledButton aria-label={`${me.user.name}, menu`} data-testid="user-menu">
                  <Avatar color="cyan" radius={999} size={36}>
                    {initials(me.user.name)}
                  </Avatar>
                </UnstyledButton>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Label>
                  <Text size="sm" fw={600} c="var(--mantine-color-text)">
                    {me.user.name}
                  </Text>
                  <Text size="xs">
                    {me.user.role}
                    {me.user.extension && `, extension ${me.user.extension}`}
                  </Text>
                </Menu.Label>
                <Menu.Divider />
                <Menu.Label>Phones that ring for you</Menu.Label>
                {phones.map((r, i) => (
                  <Text key={i} size="sm" px="sm" py={4} data-testid="my-phone">
                    {phoneText(r, me)}
                  </Text>
                ))}
                {phones.length === 0 && (
                  <Text size="sm" px="sm" py={4} c="dimmed">
                    None
                  </Text>
                )}
                <Menu.Divider />
                <Menu.Item leftSection={<IconLogout size={16} />} onClick={onSignOut} data-testid="sign-out">
                  Sign out
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Group>
      </Container>
    </header>
  )
}

// phoneStatus says how the phone is, and whether that will pass by itself.
function phoneStatus(s: PhoneState, events: boolean): { text: string; color: string; busy: boolean } {
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
