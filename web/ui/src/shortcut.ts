import { useEffect, useRef } from 'react'

// useShortcut runs f at Alt and a key. The key's place on the keyboard counts (code), as Alt makes other letters on some.
export function useShortcut(code: string, f: () => void): void {
  const latest = useRef(f)
  useEffect(() => {
    latest.current = f
  })
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (!e.altKey || e.ctrlKey || e.metaKey || e.shiftKey || e.repeat || e.code !== code) return
      e.preventDefault()
      latest.current()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [code])
}
