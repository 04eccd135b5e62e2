import { Center, Loader } from '@mantine/core'
import { useCallback, useEffect, useState } from 'react'
import { api, ApiError } from './api'
import { Console } from './Console'
import { SignIn } from './SignIn'
import type { Me } from './types'

// linkToken takes a one-time token out of the address, so that it is not left in the history.
function linkToken(): string {
  const query = new URLSearchParams(location.search)
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? query.get('token') ?? ''
  query.delete('token')
  const rest = query.toString()
  if (token || location.pathname !== '/') history.replaceState(null, '', `/${rest ? `?${rest}` : ''}`)
  return token
}

const token = linkToken()
let linkUsed: Promise<string> | undefined // used once, however often React mounts

function useLink(): Promise<string> {
  linkUsed ??= token
    ? api.signInByLink(token).then(
        () => '',
        (err: unknown) => (err instanceof ApiError ? err.message : String(err)),
      )
    : Promise.resolve('')
  return linkUsed
}

export function App() {
  const [me, setMe] = useState<Me | 'unknown' | 'stranger'>('unknown')
  const [problem, setProblem] = useState('')

  const load = useCallback(async () => {
    try {
      setMe(await api.me())
      setProblem('')
    } catch (err) {
      if (err instanceof ApiError && err.status === 401) setMe('stranger')
      else setProblem(err instanceof Error ? err.message : String(err))
    }
  }, [])

  useEffect(() => {
    void useLink().then(async (failed) => {
      await load()
      if (failed) setProblem(failed)
    })
  }, [load])

  // A server that is starting answers soon.
  useEffect(() => {
    if (me !== 'unknown' || !problem) return
    const t = setTimeout(() => void load(), 3000)
    return () => clearTimeout(t)
  }, [me, problem, load])

  // checkSession finds out whether a refusal means that the session is over.
  const checkSession = useCallback(() => {
    api.me().catch((err: unknown) => {
      if (err instanceof ApiError && err.status === 401) {
        setProblem('You were signed out.')
        setMe('stranger')
      }
    })
  }, [])

  const signOut = useCallback(() => {
    api.signOut().then(
      () => setMe('stranger'),
      (err: unknown) => setProblem(err instanceof Error ? err.message : String(err)),
    )
  }, [])

  if (me === 'stranger') return <SignIn problem={problem} onSignedIn={() => void load()} />
  if (me === 'unknown') {
    return (
      <Center h="100dvh" role="status" style={{ gap: 12 }}>
        <Loader size="sm" aria-hidden />
        {problem || 'Loading…'}
      </Center>
    )
  }
  return <Console key={me.phone.session} me={me} onSignOut={signOut} onRefused={checkSession} />
}
