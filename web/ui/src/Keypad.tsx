import { UnstyledButton } from '@mantine/core'
import { useRef } from 'react'
import { playKey } from './sound'

const keys = [
  ['1', ''], ['2', 'ABC'], ['3', 'DEF'],
  ['4', 'GHI'], ['5', 'JKL'], ['6', 'MNO'],
  ['7', 'PQRS'], ['8', 'TUV'], ['9', 'WXYZ'],
  ['*', ''], ['0', '+'], ['#', ''],
] as const

const spoken: Record<string, string> = { '*': 'star', '#': 'hash' }

const HOLD = 600 // ms until a held 0 becomes +

interface Props {
  label: string
  onKey: (key: string) => void
  plus?: boolean // holding 0 gives +, as on mobile phones
}

// Keypad is the twelve keys of a telephone.
export function Keypad({ label, onKey, plus = false }: Props) {
  const held = useRef<{ timer: ReturnType<typeof setTimeout>; done: boolean }>(undefined)
  const down = (key: string) => {
    if (!plus || key !== '0') return
    const hold = { done: false, timer: setTimeout(() => ((hold.done = true), onKey('+')), HOLD) }
    held.current = hold
  }
  // up reports whether the key was held, and has been typed already.
  const up = (): boolean => {
    const hold = held.current
    held.current = undefined
    clearTimeout(hold?.timer)
    return hold?.done ?? false
  }
  return (
    <div className="keypad" role="group" aria-label={label}>
      {keys.map(([key, letters]) => (
        <UnstyledButton
          key={key} className="key" aria-label={spoken[key] ?? key} data-testid={`key-${spoken[key] ?? key}`}
          onPointerDown={() => down(key)} onPointerLeave={up}
          onClick={() => {
            if (up()) return
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
