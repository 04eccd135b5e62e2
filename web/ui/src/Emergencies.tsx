import { Alert } from '@mantine/core'
import { IconUrgent } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { prettyNumber } from './format'
import type { Live } from './live'
import { useStore } from './store'
import type { LiveCall, Me } from './types'
import { partyName } from './why'

// Emergencies tells owners and admins that somebody here calls for help, from where, and which number the dispatcher sees. A
// call that is over stays until it is dismissed: whoever comes to the page late must still see it.
export function Emergencies({ live, me }: { live: Live; me: Me }) {
  const { active } = useStore(live.state)
  const [known, setKnown] = useState<LiveCall[]>([])
  const now = active.filter((c) => c.emergency)
  useEffect(() => {
    const fresh = now.filter((c) => !known.some((k) => k.id === c.id))
    if (fresh.length > 0) setKnown([...known, ...fresh])
  }, [active])
  if (!me.admin) return null
  return known.map((c) => {
    const on = now.some((n) => n.id === c.id)
    return (
      <Alert
        key={c.id} color="red" variant="filled" mb="md" icon={<IconUrgent size={22} />} role="alert" data-testid="emergency"
        title={`Emergency call: ${partyName(c.from)} ${on ? 'calls' : 'called'} ${prettyNumber(c.to.number)}`}
        withCloseButton={!on} closeButtonLabel="Dismiss" onClose={() => setKnown(known.filter((k) => k.id !== c.id))}
      >
        {c.emergency?.location ? `From ${c.emergency.location}. ` : 'Their place is not known to this system. '}
        {c.emergency?.callback && `The dispatcher sees ${prettyNumber(c.emergency.callback)}. `}
        {new Date(c.start).toLocaleTimeString()}
      </Alert>
    )
  })
}
