import { Button, Group, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useEffect, useState, type FormEvent } from 'react'
import { api } from './api'
import type { Reach } from './types'

// ReachSettings switches do-not-disturb and forwarding, as the codes on a desk phone do.
export function ReachSettings({ onChange }: { onChange: (r: Reach) => void }) {
  const [reach, setReach] = useState<Reach>()
  const [to, setTo] = useState('')
  const [problem, setProblem] = useState('')
  const take = (r: Reach) => {
    setReach(r)
    onChange(r)
    setTo(r.forward)
    setProblem('')
  }
  const failed = (err: unknown) => setProblem(err instanceof Error ? err.message : String(err))
  const save = (r: Reach) => void api.setReach(r).then(take, failed)
  useEffect(() => void api.reach().then(take, failed), [])
  if (!reach) return problem ? <Text size="sm">{problem}</Text> : null

  const submit = (e: FormEvent) => {
    e.preventDefault()
    save({ ...reach, forward: to.trim() })
  }
  return (
    <Stack gap="xs" component="form" onSubmit={submit as never}>
      <Switch label="Do not disturb" checked={reach.dnd} onChange={(e) => save({ ...reach, dnd: e.currentTarget.checked })} data-testid="dnd" />
      <TextInput label="Forward all my calls to" placeholder="Number or extension" size="sm" value={to} onChange={(e) => setTo(e.currentTarget.value)} error={problem || undefined} inputMode="tel" data-testid="forward" />
      {to.trim() !== reach.forward && (
        <Group gap="xs" grow>
          <Button size="xs" variant="default" onClick={() => take(reach)}>
            Back
          </Button>
          <Button size="xs" type="submit" data-testid="forward-save">
            {to.trim() ? 'Forward' : 'Stop forwarding'}
          </Button>
        </Group>
      )}
    </Stack>
  )
}
