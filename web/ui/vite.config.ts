import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// `npm run dev` serves the page with hot reload and asks a running server (STROWGER_URL) for everything else.
const server = process.env.STROWGER_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react()],
  // The server puts a fresh nonce of its Content-Security-Policy in place of this mark.
  html: { cspNonce: '__NONCE__' },
  // Browsers since 2024 know light-dark(); lowered for older ones it would not follow the page's own colour switch.
  build: { target: 'es2022', cssTarget: ['chrome123', 'firefox120', 'safari17.5'], chunkSizeWarningLimit: 900, assetsInlineLimit: 0 },
  server: { proxy: { '/api': server, '/ws': { target: server, ws: true } } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
