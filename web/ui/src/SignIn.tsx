import { Alert, Button, Center, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { api } from './api'
import { unlock } from './sound'

export function SignIn({ problem, onSignedIn }: { problem: string; onSignedIn: () => void }) {
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState(problem)
  const [busy, setBusy] = useState(false)

  const submit = async (e: FormEvent) => {
    e.preventDefault()
    unlock()
    setBusy(true)
    try {
      await api.signIn(login, password)
      onSignedIn()
    } catch (err) {
      setError(err instanceof Error ? err.message : String(err))
      setBusy(false)
    }
  }

  return (
    <Center component="main" mih="100dvh" p="md">
      <form className="card" onSubmit={(e) => void submit(e)} style={{ width: 'min(380px, 100%)', padding: 28 }}>
        <Stack>
          <div>
            <img src="/favicon.svg" alt="" width={44} height={44} />
            <Title order={1} size="h2" mt="xs">
              Strowger
            </Title>
            <Text c="dimmed" size="sm">
              Sign in to your phone.
            </Text>
          </div>
          {error && (
            <Alert color="red" variant="light" role="alert" data-testid="signin-error">
              {error}
            </Alert>
          )}
          <TextInput
            label="E-mail or user name" name="username" autoComplete="username" autoCapitalize="none" required withAsterisk={false} autoFocus
            value={login} onChange={(e) => setLogin(e.currentTarget.value)} data-testid="signin-login"
          />
          <PasswordInput
            label="Password" name="password" autoComplete="current-password" required withAsterisk={false}
            value={password} onChange={(e) => setPassword(e.currentTarget.value)} data-testid="signin-password"
          />
          <Button type="submit" loading={busy} fullWidth data-testid="signin-submit">
            Sign in
          </Button>
          <Text c="dimmed" size="xs">
            No password yet? Your administrator can send you a one-time link.
          </Text>
        </Stack>
      </form>
    </Center>
  )
}
