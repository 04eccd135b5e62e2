import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { IconRecordMail } from '@tabler/icons-react'
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { dialable } from './format'
import { matching, PeopleList } from './People'
import type { Me } from './types'

interface Props {
  me: Me
  mode: 'transfer' | 'add'
  busy: boolean // something is under way already
  onTransfer: (to: string, voicemail: boolean) => void // pass the call on at once, or into their mailbox
  onCall: (to: string) => void // talk to them first
  onClose: () => void
}

// PassOn asks to whom a call shall go, or who shall join it.
export function PassOn({ me, mode, busy, onTransfer, onCall, onClose }: Props) {
  const [text, setText] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const people = matching(text, me)
  const to = dialable(text) || (people.length === 1 ? people[0]!.extension : '') || ''
  const transfer = mode === 'transfer'
  const colleague = me.people.find((p) => p.extension !== undefined && p.extension === to)
  useEffect(() => input.current?.focus(), [])

  const submit = (e: FormEvent) => {
    e.preventDefault()
    if (to && !busy) onCall(to)
  }
  return (
    <form onSubmit={submit} className="why" onKeyDown={(e) => e.key === 'Escape' && onClose()} data-testid="pass-on">
      <Stack gap="sm">
        <TextInput
          ref={input} label={transfer ? 'Transfer to' : 'Add to the call'} placeholder="Number or name" value={text} onChange={(e) => setText(e.currentTarget.value)}
          autoComplete="off" inputMode="tel" data-testid="pass-on-input" error={text && !to && people.length === 0 ? 'Neither a number nor somebody here' : undefined}
        />
        {people.length > 0 && text !== people[0]!.extension && <PeopleList people={people} onPick={(p) => setText(p.extension!)} />}
        <Text size="xs">{transfer ? 'Ask first: this call goes on hold while you talk to them.' : 'This call goes on hold until you merge the two.'}</Text>
        <Group grow gap="xs">
          {transfer && (
            <Button variant="default" px="xs" disabled={!to || busy} onClick={() => onTransfer(to, false)} data-testid="transfer-now">
              Transfer now
            </Button>
          )}
          <Button type="submit" disabled={!to || busy} data-testid="pass-on-call">
            {transfer ? 'Ask first' : 'Call'}
          </Button>
        </Group>
        {transfer && colleague && (
          <Button variant="default" size="compact-md" disabled={busy} leftSection={<IconRecordMail size={16} />} onClick={() => onTransfer(to, true)} data-testid="transfer-voicemail">
            To {colleague.name}’s voicemail
          </Button>
        )}
        <Button variant="subtle" size="compact-sm" color="gray" onClick={onClose}>
          Close
        </Button>
      </Stack>
    </form>
  )
}
