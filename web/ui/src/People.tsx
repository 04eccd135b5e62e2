import { Group, Text, UnstyledButton } from '@mantine/core'
import type { Me, Person } from './types'

interface Props {
  people: Person[]
  disabled?: boolean
  onPick: (p: Person) => void
}

// PeopleList offers the people whom somebody may mean.
export function PeopleList({ people, disabled = false, onPick }: Props) {
  if (people.length === 0) return null
  return (
    <div role="group" aria-label="People">
      {people.map((p) => (
        <UnstyledButton key={p.id} type="button" className="row" w="100%" disabled={disabled} onClick={() => onPick(p)} data-testid={`person-${p.id}`}>
          <Group justify="space-between">
            <Text size="sm">{p.name}</Text>
            <Text size="sm" c="dimmed">
              {p.extension}
            </Text>
          </Group>
        </UnstyledButton>
      ))}
    </div>
  )
}

// matching people: by the start of a name's word, or of the extension.
export function matching(text: string, me: Me): Person[] {
  const t = text.trim().toLowerCase()
  if (!t) return []
  return me.people
    .filter((p) => p.id !== me.user.id && p.extension)
    .filter((p) => p.extension!.startsWith(t) || p.name.toLowerCase().split(/\s+/).concat(p.name.toLowerCase()).some((w) => w.startsWith(t)))
    .slice(0, 5)
}
