import { ActionIcon, Button, Select, Stack, TextInput } from '@mantine/core'
import { IconBackspace, IconPhone } from '@tabler/icons-react'
import { useMemo, useRef, useState, type FormEvent } from 'react'
import { dialable, prettyNumber } from './format'
import { Keypad } from './Keypad'
import { matching, PeopleList } from './People'
import type { Phone } from './phone'
import { useStore } from './store'
import type { Me } from './types'

interface Props {
  me: Me
  phone: Phone
  callerID: string
  onCallerID: (number: string) => void
  onDial: (number: string) => void
}

export function Dialer({ me, phone, callerID, onCallerID, onDial }: Props) {
  const [text, setText] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const { registered } = useStore(phone.state)
  const people = useMemo(() => matching(text, me), [text, me])
  const target = dialable(text) || (people.length === 1 ? people[0]!.extension : '') || ''

  const submit = (e: FormEvent) => {
    e.preventDefault()
    if (!target || !registered) return
    onDial(target)
    setText('')
  }
  // press types a key where the cursor is, as the keyboard would.
  const press = (key: string) => {
    const at = input.current?.selectionStart ?? text.length
    const to = input.current?.selectionEnd ?? at
    setText(text.slice(0, at) + key + text.slice(to))
    requestAnimationFrame(() => input.current?.setSelectionRange(at + key.length, at + key.length))
  }

  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          ref={input} label="Call" placeholder="Number or name" size="lg" value={text} onChange={(e) => setText(e.currentTarget.value)}
          autoComplete="off" inputMode="tel" data-testid="dial-input" error={text && !target && people.length === 0 ? 'Neither a number nor somebody here' : undefined}
          rightSection={
            text && (
              <ActionIcon variant="subtle" color="gray" aria-label="Delete the last character" onClick={() => setText(text.slice(0, -1))}>
                <IconBackspace size={20} />
              </ActionIcon>
            )
          }
        />
        <PeopleList people={people} disabled={!registered} onPick={(p) => (onDial(p.extension!), setText(''))} />
        <Keypad label="Keypad" onKey={press} plus />
        {me.numbers.length > 0 && (
          <Select
            label="Call from" value={callerID} onChange={(v) => v && onCallerID(v)} allowDeselect={false} data-testid="caller-id"
            data={me.numbers.map((n) => ({ value: n.number, label: n.label ? `${n.label}, ${prettyNumber(n.number)}` : prettyNumber(n.number) }))}
          />
        )}
        <Button type="submit" size="lg" color="green.9" leftSection={<IconPhone size={20} />} disabled={!target || !registered} data-testid="dial-call">
          Call
        </Button>
      </Stack>
    </form>
  )
}
