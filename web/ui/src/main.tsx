import '@mantine/core/styles.css'
import './page.css'
import { createTheme, MantineProvider, type CSSVariablesResolver } from '@mantine/core'
import { setNonce } from 'get-nonce'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App'

const theme = createTheme({
  primaryColor: 'cyan',
  primaryShade: 9,
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  respectReducedMotion: true,
})

// Mantine's quiet colours are too pale for small text: WCAG 2.2 asks for a contrast of 4.5.
const colours: CSSVariablesResolver = () => ({
  variables: {
    '--mantine-color-cyan-filled-hover': '#095c6b',
    '--mantine-primary-color-filled-hover': '#095c6b',
    '--mantine-color-green-9': '#247a34',
    '--mantine-color-green-9-hover': '#1f6b2d',
  },
  light: {
    '--mantine-color-dimmed': 'var(--mantine-color-gray-7)',
    '--mantine-color-placeholder': 'var(--mantine-color-gray-6)',
    '--mantine-color-green-light-color': '#1f6b2d',
    '--mantine-color-red-light-color': '#a31f1f',
    '--mantine-color-cyan-light-color': '#095c6b',
    '--mantine-color-yellow-light-color': '#7a4f00',
  },
  dark: {
    '--mantine-color-dimmed': 'var(--mantine-color-dark-1)',
    '--mantine-color-placeholder': 'var(--mantine-color-dark-2)',
  },
})

// The Content-Security-Policy lets only styles with the page's nonce in.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
setNonce(nonce)

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={colours} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <App />
    </MantineProvider>
  </StrictMode>,
)
