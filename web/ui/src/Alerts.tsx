import { Alert } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { api } from './api'
import type { Live } from './live'
import { useStore } from './store'

// Alerts are what owners and admins should do something about. The server tells nobody else.
export function Alerts({ live }: { live: Live }) {
  const { alerts } = useStore(live.state)
  return alerts.map((a) => (
    <Alert
      key={a.kind} color="orange" variant="light" icon={<IconAlertTriangle size={18} />} mb="md" withCloseButton closeButtonLabel="Dismiss for all"
      onClose={() => void api.dismissAlert(a.kind).catch(() => live.reload())} role="alert" data-testid={`alert-${a.kind}`}
    >
      {a.text}. {a.remedy} ({new Date(a.at).toLocaleString()}
      {a.times > 1 && `, ${a.times} times`})
    </Alert>
  ))
}
