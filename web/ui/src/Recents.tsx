import { ActionIcon, Badge, Button, Center, Group, Loader, SegmentedControl, Switch, Text, Tooltip, UnstyledButton } from '@mantine/core'
import { IconArrowDownLeft, IconArrowUpRight, IconArrowsLeftRight, IconPhone, IconPhoneX, IconRecordMail } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { api } from './api'
import { CallDetails } from './CallDetails'
import { ago, between, clock, prettyNumber } from './format'
import type { Live } from './live'
import { useStore } from './store'
import type { Call, Me, Party } from './types'
import { outcome, partyName, type Names } from './why'

interface Props {
  me: Me
  live: Live
  names: Names
  onDial: (number: string) => void
}

export function Recents({ me, live, names, onDial }: Props) {
  const { calls, loaded, next, everybody, error } = useStore(live.state)
  const [only, setOnly] = useState('all')
  const [open, setOpen] = useState<string>()
  const [problem, setProblem] = useState('')
  useMinutes()
  const shown = calls.filter((c) => only === 'all' || c.unclaimed)
  const opened = calls.find((c) => c.id === open)

  const act = (work: Promise<unknown>) => work.then(() => setProblem('')).catch((err: unknown) => setProblem(err instanceof Error ? err.message : String(err)))
  const claim = (c: Call) => act(api.claim(c.id).then((r) => live.recordChanged(r)))
  // Calling back is acting on a missed call: it leaves the others' lists.
  const callBack = (c: Call) => {
    const number = other(c, me).number
    if (!number) return
    if (c.unclaimed) void claim(c)
    onDial(number)
  }

  if (!loaded) return <Waiting />
  return (
    <>
      <Group justify="space-between" mb="sm">
        <SegmentedControl size="xs" value={only} onChange={setOnly} data={[{ value: 'all', label: 'All' }, { value: 'unclaimed', label: 'Unclaimed' }]} aria-label="Which calls" />
        {me.admin && <Switch size="sm" label="Everybody’s calls" checked={everybody} onChange={(e) => live.showEverybody(e.currentTarget.checked)} />}
      </Group>
      {(problem || error) && (
        <Text c="red" size="sm" role="alert" mb="xs">
          {problem || error}
        </Text>
      )}
      {shown.length === 0 && (
        <Center py={48}>
          <Text c="dimmed">{only === 'all' ? 'No calls yet.' : 'Nobody waits for a call back.'}</Text>
        </Center>
      )}
      <ul className="trace" aria-label="Recent calls" data-testid="recents">
        {shown.map((c) => (
          <Row key={c.id} call={c} me={me} onOpen={() => setOpen(c.id)} onCall={() => callBack(c)} onClaim={() => void claim(c)} />
        ))}
      </ul>
      {next && only === 'all' && (
        <Center mt="sm">
          <Button variant="subtle" size="xs" onClick={() => void act(live.more())}>
            Older calls
          </Button>
        </Center>
      )}
      <CallDetails call={opened} names={names} me={me} onClose={() => setOpen(undefined)} onCall={callBack} />
    </>
  )
}

// other is the party of a call that is not oneself.
export function other(c: Call, me: Me): Party {
  return c.direction === 'inbound' || (c.direction === 'internal' && c.from.user !== me.user.id) ? c.from : c.to
}

function Row({ call, me, onOpen, onCall, onClaim }: { call: Call; me: Me; onOpen: () => void; onCall: () => void; onClaim: () => void }) {
  const who = other(call, me)
  const bad = call.disposition !== 'answered' && call.disposition !== 'voicemail'
  const when = ago(call.start, new Date())
  const length = call.disposition === 'answered' ? between(call.answer, call.end) : 0
  return (
    <li className="row recent" data-testid="recent" data-call={call.id}>
      <Direction call={call} bad={bad} />
      <Group wrap="nowrap" gap="sm" style={{ minWidth: 0 }}>
        <UnstyledButton className="rowbutton" onClick={onOpen} aria-label={`${partyName(who)}, ${outcome(call, me.user.id)}, details`} data-testid="recent-open">
          <Group gap={8} wrap="nowrap">
            <Text fw={call.unclaimed ? 700 : 500} truncate c={call.disposition === 'missed' && call.direction === 'inbound' ? 'var(--missed)' : 'var(--mantine-color-text)'}>
              {partyName(who)}
            </Text>
            {call.unclaimed && (
              <Badge size="sm" variant="light" color="red" tt="none" className="wide" style={{ flex: 'none' }} data-testid="unclaimed">
                Unclaimed
              </Badge>
            )}
          </Group>
          <Text size="xs" c="dimmed" truncate>
            <span className="narrow">{when}, </span>
            {outcome(call, me.user.id)}
            {call.direction === 'inbound' && `, to ${call.to.name || prettyNumber(call.to.number)}`}
            {call.claimed_by && `, taken by ${call.claimed_by.user === me.user.id ? 'you' : partyName(call.claimed_by)}`}
          </Text>
        </UnstyledButton>
        <div className="wide" style={{ textAlign: 'right', flex: 'none' }}>
          <Text size="xs" c="dimmed">
            {when}
          </Text>
          <Text size="xs" c="dimmed">
            {length > 0 ? clock(length) : ' '}
          </Text>
        </div>
        {call.unclaimed && (
          <Button size="compact-sm" variant="light" onClick={onClaim} data-testid="claim">
            Claim
          </Button>
        )}
        {who.number && who.number !== 'anonymous' && (
          <Tooltip label={call.unclaimed ? 'Call back; it is yours then' : 'Call'}>
            <ActionIcon variant="light" color="green" size="lg" onClick={onCall} aria-label={`Call ${partyName(who)}`} data-testid="recent-call">
              <IconPhone size={18} />
            </ActionIcon>
          </Tooltip>
        )}
      </Group>
    </li>
  )
}

function Direction({ call, bad }: { call: Call; bad: boolean }) {
  const color = bad ? 'var(--missed)' : 'var(--mantine-color-dimmed)'
  const size = 20
  if (call.disposition === 'voicemail') return <IconRecordMail size={size} color="var(--mantine-color-dimmed)" aria-label="Voicemail" />
  if (call.direction === 'internal') return <IconArrowsLeftRight size={size} color={color} aria-label="Internal" />
  if (call.direction === 'outbound') return <IconArrowUpRight size={size} color={color} aria-label="Outgoing" />
  return bad ? <IconPhoneX size={size} color={color} aria-label="Missed" /> : <IconArrowDownLeft size={size} color={color} aria-label="Incoming" />
}

// useMinutes renders anew now and then, so that "5 min ago" stays true.
function useMinutes(): void {
  const [, tick] = useState(0)
  useEffect(() => {
    const t = setInterval(() => tick((n) => n + 1), 30_000)
    return () => clearInterval(t)
  }, [])
}

function Waiting() {
  return (
    <Center py={48} role="status" aria-label="Loading">
      <Loader size="sm" />
    </Center>
  )
}
