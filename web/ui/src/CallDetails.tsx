import { Badge, Button, Drawer, Group, Stack, Table, Text, Title } from '@mantine/core'
import { IconCircle, IconCircleCheckFilled, IconCircleDashed, IconCircleX, IconPhone, IconPhoneCall, IconRecordMail } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { between, clock, prettyNumber } from './format'
import { other } from './Recents'
import { Recordings } from './Recordings'
import { storyText } from './story'
import type { Call, Leg, Me } from './types'
import { kindName, outcome, partyName, refusal, stagesOf, traceLines, type Names, type TraceLine } from './why'

interface Props {
  call: Call | undefined
  me: Me
  names: Names
  onClose: () => void
  onCall: (call: Call) => void
}

// CallDetails is all there is to know about a call: who, when, which phones, and why.
export function CallDetails({ call, me, names, onClose, onCall }: Props) {
  return (
    <Drawer
      opened={call !== undefined} onClose={onClose} position="right" size="lg" padding="lg" closeButtonProps={{ 'aria-label': 'Close' }}
      title={call && <Text fw={700} size="lg">{partyName(other(call, me))}</Text>}
    >
      {call && <Details call={call} me={me} names={names} onCall={onCall} />}
    </Drawer>
  )
}

function Details({ call, me, names, onCall }: { call: Call; me: Me; names: Names; onCall: (call: Call) => void }) {
  const who = other(call, me)
  const { answered, reached } = stagesOf(call)
  const lines = call.plan ? traceLines(call.plan, names, answered, reached, call.disposition === 'voicemail') : []
  return (
    <Stack gap="lg" data-testid="call-details">
      <Group>
        <Badge variant="light" size="lg" tt="none" color={call.disposition === 'answered' ? 'green' : call.disposition === 'voicemail' ? 'cyan' : 'red'}>
          {outcome(call, me.user.id)}
        </Badge>
        {who.number && who.number !== 'anonymous' && (
          <Button size="compact-md" variant="light" color="green" leftSection={<IconPhone size={16} />} onClick={() => onCall(call)}>
            Call {prettyNumber(who.number)}
          </Button>
        )}
      </Group>
      <Facts call={call} names={names} />
      {lines.length > 0 && (
        <section aria-labelledby="why-title">
          <Title order={2} size="h5" id="why-title" mb="xs">
            {call.direction === 'inbound' ? 'Who should answer, and why' : 'Where it went, and why'}
          </Title>
          {call.contacts.length > 0 && (
            <Text size="sm" c="dimmed" mb={6}>
              The caller is {call.contacts.map((c) => c.name + (c.owner ? `, owned by ${names.user(c.owner)}` : '')).join('; ')}.
            </Text>
          )}
          <ol className="trace" data-testid="trace">
            {lines.map((l, i) => (
              <Line key={i} line={l} />
            ))}
          </ol>
        </section>
      )}
      {refusal(call.plan) && <Text size="sm">{refusal(call.plan)}</Text>}
      {call.recorded && <Recordings call={call} me={me} names={names} />}
      <Legs call={call} names={names} />
      <Story call={call} names={names} />
    </Stack>
  )
}

function Facts({ call, names }: { call: Call; names: Names }) {
  const talk = call.disposition === 'answered' ? between(call.answer, call.end) : 0
  const facts: [string, ReactNode][] = [
    ['From', named(call.from.name, call.from.number)],
    ['To', named(call.to.name, call.to.number)],
    ['When', new Date(call.start).toLocaleString()],
  ]
  if (talk > 0) facts.push(['Talked', clock(talk)])
  if (call.answer) facts.push(['Answered after', clock(between(call.start, call.answer))])
  const end = endText(call, names)
  if (end) facts.push(['Ended', end])
  return (
    <Table withRowBorders={false} verticalSpacing={4} horizontalSpacing={0}>
      <Table.Tbody>
        {facts.map(([k, v]) => (
          <Table.Tr key={k}>
            <Table.Th scope="row" w={130} c="dimmed" fw={400}>
              {k}
            </Table.Th>
            <Table.Td>{v}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

// endText says how and by whom a call was ended, once.
function endText(call: Call, names: Names): string {
  if (/^went on in call |^the service /.test(call.reason ?? '')) return capital(storyText(call.reason!, names), true)
  const by = call.ended_by ? `by ${call.ended_by === 'us' ? 'the system' : `the ${call.ended_by}`}` : ''
  const reason = call.reason ? call.reason.charAt(0).toUpperCase() + call.reason.slice(1) : ''
  if (!reason || !call.ended_by) return reason || by
  return reason.toLowerCase().includes(call.ended_by) ? reason : `${reason}, ${by}`
}

function named(name: string | undefined, number: string | undefined): string {
  const n = prettyNumber(number)
  return name && n ? `${name}, ${n}` : name || n || 'Unknown'
}

const marks: Record<TraceLine['state'], { icon: ReactNode; label: string }> = {
  answered: { icon: <IconCircleCheckFilled size={20} color="var(--mantine-color-green-7)" />, label: 'Answered here' },
  ended: { icon: <IconRecordMail size={20} color="var(--mantine-color-cyan-7)" />, label: 'Ended here' },
  rang: { icon: <IconPhoneCall size={20} color="var(--mantine-color-cyan-7)" />, label: 'Tried' },
  planned: { icon: <IconCircle size={20} />, label: 'Planned' },
  dropped: { icon: <IconCircleX size={20} color="var(--mantine-color-orange-7)" />, label: 'Dropped' },
  skipped: { icon: <IconCircleDashed size={20} />, label: 'Skipped' },
}

function Line({ line }: { line: TraceLine }) {
  const mark = marks[line.state]
  const won = line.state === 'answered' || line.state === 'ended'
  const quiet = line.state === 'skipped' || line.state === 'planned'
  return (
    <li className={won ? 'answered' : quiet ? 'quiet' : ''} style={{ marginLeft: line.depth * 24 }} data-state={line.state}>
      <span aria-hidden>{mark.icon}</span>
      <div>
        <Group gap={8}>
          <Text size="sm" fw={quiet ? 400 : 600}>
            {line.title}
          </Text>
          {won || line.state === 'rang' ? (
            <Badge size="xs" variant="light" color={won ? 'green' : 'cyan'} tt="none">
              {mark.label}
            </Badge>
          ) : (
            <span className="visually-hidden">{mark.label}</span>
          )}
        </Group>
        <Text size="xs" c="dimmed">
          {[line.text, ...line.users].join(' · ')}
        </Text>
      </div>
    </li>
  )
}

function legName(l: Leg, names: Names): string {
  return l.user ? names.user(l.user) : prettyNumber(l.peer)
}

function Legs({ call, names }: { call: Call; names: Names }) {
  if (call.legs.length === 0) return null
  return (
    <section aria-labelledby="legs-title">
      <Title order={2} size="h5" id="legs-title" mb="xs">
        Phones
      </Title>
      <Stack gap={6}>
        {call.legs.map((l, i) => (
          <Group key={i} justify="space-between" gap="0 12px" align="flex-start" data-testid="leg">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" truncate>
                {isCaller(l, i) ? `Caller: ${legName(l, names)}` : legName(l, names)}
              </Text>
              <Text size="xs" c="dimmed">
                {[l.kind && kindName(l.kind), legOutcome(l)].filter(Boolean).join(', ')}
              </Text>
            </div>
            <Text size="xs" c="dimmed" style={{ flex: 'none' }}>
              {quality(l)}
            </Text>
          </Group>
        ))}
      </Stack>
    </section>
  )
}

function legOutcome(l: Leg): string {
  if (l.answer) return l.stage < 0 ? `connected ${clock(between(l.answer, l.end))}` : `answered after ${clock(between(l.start, l.answer))}`
  if (l.stage < 0) return l.reason ?? ''
  const rang = l.ringing ? `rang ${clock(between(l.ringing, l.end))}` : 'did not ring'
  return l.reason ? `${rang}: ${l.reason}` : rang
}

// quality is the codec, what was lost on the way to us, and how that sounds (MOS: 1 is bad, 4.4 as good as a telephone gets), when a leg had sound.
function quality(l: Leg): string {
  const m = l.media
  if (!m?.codec) return ''
  const total = (m.in?.packets ?? 0) + (m.in?.lost ?? 0)
  const lost = total > 0 ? (100 * (m.in?.lost ?? 0)) / total : 0
  const parts = [m.srtp ? `${m.codec}, encrypted` : m.codec]
  if (total > 0) parts.push(`${lost < 0.05 ? '0' : lost.toFixed(1)} % lost, ${Math.round(m.in?.jitter_ms ?? 0)} ms jitter`)
  if (m.in?.mos) parts.push(`MOS ${m.in.mos.toFixed(1)}`)
  return parts.join(' · ')
}

function Story({ call, names }: { call: Call; names: Names }) {
  if (call.events.length === 0) return null
  return (
    <section aria-labelledby="story-title">
      <Title order={2} size="h5" id="story-title" mb="xs">
        What happened
      </Title>
      <Table withRowBorders={false} verticalSpacing={2} horizontalSpacing={0}>
        <Table.Tbody>
          {call.events.map((e, i) => (
            <Table.Tr key={i}>
              <Table.Td w={64} ff="monospace" fz="xs" c="dimmed">
                +{between(call.start, e.at).toFixed(1)} s
              </Table.Td>
              <Table.Td fz="sm">
                {storyWho(call, e.leg, names)}
                {capital(storyText(e.what, names), call.legs[e.leg] === undefined)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  )
}

// capital makes a sentence of a line that begins with what happened, not with who did it.
function capital(line: string, yes: boolean): string {
  return yes ? line.charAt(0).toUpperCase() + line.slice(1) : line
}

function storyWho(call: Call, at: number, names: Names): string {
  const leg = call.legs[at]
  if (!leg) return ''
  if (isCaller(leg, at)) return 'Caller: '
  const kind = leg.user && leg.kind ? ` (${kindName(leg.kind)})` : ''
  return `${legName(leg, names)}${kind}: `
}

// isCaller tells who began the call from those who came later by a transfer or into a conference.
function isCaller(leg: Leg, at: number): boolean {
  return leg.stage < 0 && at === 0
}
