import { UnstyledButton } from '@mantine/core'
import { playKey } from './sound'

const keys = [
  ['1', ''], ['2', 'ABC'], ['3', 'DEF'],
  ['4', 'GHI'], ['5', 'JKL'], ['6', 'MNO'],
  ['7', 'PQRS'], ['8', 'TUV'], ['9', 'WXYZ'],
  ['*', ''], ['0', '+'], ['#', ''],
] as const

const spoken: Record<string, string> = { '*': 'star', '#': 'hash' }

// Keypad is the twelve keys of a telephone.
export function Keypad({ label, onKey }: { label: string; onKey: (key: string) => void }) {
  return (
    <div className="keypad" role="group" aria-label={label}>
      {keys.map(([key, letters]) => (
        <UnstyledButton
          key={key} className="key" aria-label={spoken[key] ?? key} data-testid={`key-${spoken[key] ?? key}`}
          onClick={() => {
            playKey(key)
            onKey(key)
          }}
        >
          <b>{key}</b>
          <small aria-hidden>{letters}</small>
        </UnstyledButton>
      ))}
    </div>
  )
}
