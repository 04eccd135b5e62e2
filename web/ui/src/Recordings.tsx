import { ActionIcon, Group, Text, Title } from '@mantine/core'
import { IconDownload, IconTrash } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { api, recordingURL } from './api'
import { clock } from './format'
import type { Call, CallRecording, Me } from './types'
import type { Names } from './why'

// Recordings is what was recorded of a call, for those who may listen.
export function Recordings({ call, me, names }: { call: Call; me: Me; names: Names }) {
  const [list, setList] = useState<CallRecording[]>()
  const [problem, setProblem] = useState('')
  const failed = (err: unknown) => setProblem(err instanceof Error ? err.message : String(err))
  const load = () => api.recordings(call.id).then(setList, failed)
  useEffect(() => void load(), [call.id])
  const remove = (r: CallRecording) => void api.deleteRecording(call.id, r.id).then(load, failed)
  return (
    <section aria-labelledby="recordings-title" data-testid="recordings">
      <Title order={2} size="h5" id="recordings-title" mb="xs">
        Recordings
      </Title>
      {problem && (
        <Text size="sm" role="alert">
          {problem}
        </Text>
      )}
      {list?.map((r) => (
        <div key={r.id} data-testid="recording">
          <Text size="xs" c="dimmed">
            {new Date(r.start).toLocaleTimeString()}, {clock(r.seconds)}
            {r.by && `, asked for by ${names.user(r.by)}`}
            {silent(r, false, 'paused')}
            {silent(r, true, 'on hold')}
            {r.deleted && `, deleted${r.deleted_by === 'retention' ? ' after its time' : ''}`}
          </Text>
          {!r.deleted && (
            <Group gap="xs" wrap="nowrap">
              <audio controls preload="none" src={recordingURL(call.id, r.id)} aria-label="Recording: the caller left, everybody else right" style={{ flex: 1, minWidth: 0 }} />
              <ActionIcon component="a" href={`${recordingURL(call.id, r.id)}?download=true`} variant="subtle" color="gray" size="lg" aria-label="Download the recording">
                <IconDownload size={18} />
              </ActionIcon>
              {me.admin && (
                <ActionIcon variant="subtle" color="red" size="lg" onClick={() => remove(r)} aria-label="Delete the recording">
                  <IconTrash size={18} />
                </ActionIcon>
              )}
            </Group>
          )}
        </div>
      ))}
    </section>
  )
}

// silent says how often a recording was paused, or its parties on hold.
function silent(r: CallRecording, hold: boolean, word: string): string {
  const n = (r.pauses ?? []).filter((p) => (p.hold ?? false) === hold).length
  return n === 0 ? '' : `, ${word} ${n === 1 ? 'once' : `${n} times`}`
}
