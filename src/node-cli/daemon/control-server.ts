import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { createControlApp } from '../../core/control/server.ts'
import type { RegistryService } from '../../core/control/service.ts'

/** Serves the control API to the owner of the home alone: the socket's mode is 0600, and its folder's 0700. */
export async function serveControl(socket: string, service: RegistryService, onStop: () => void): Promise<{ close(): Promise<void> }> {
  const app = createControlApp(service, { onStop })
  const server = createServer(getRequestListener(app.fetch))
  // An operation may take as long as a download takes.
  server.requestTimeout = 0
  if (process.platform !== 'win32') {
    mkdirSync(dirname(socket), { recursive: true, mode: 0o700 })
    rmSync(socket, { force: true })
  }
  const before = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(socket, resolve)
    })
  } finally {
    process.umask(before)
  }
  if (process.platform !== 'win32') chmodSync(socket, 0o600)
  return {
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        // The command that asked for the stop gets its answer, then nobody keeps the server open.
        setTimeout(() => server.closeAllConnections(), 100).unref()
      })
      if (process.platform !== 'win32') rmSync(socket, { force: true })
    },
  }
}
