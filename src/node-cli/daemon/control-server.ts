import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { lines } from '../../core/control/client.ts'
import type { ControlHandler } from '../../core/control/server.ts'
import { createControlHandler } from '../../core/control/server.ts'
import type { RegistryService } from '../../core/control/service.ts'

/** How long the command that asked for the stop has to take its answer. */
const closeGraceMs = 200

/** Serves the control API to the owner of the home alone: the socket's mode is 0600, and its folder's 0700. One request a connection. */
export async function serveControl(
  path: string,
  service: RegistryService,
  hooks: Parameters<typeof createControlHandler>[1],
): Promise<{ close(): Promise<void> }> {
  const handle = createControlHandler(service, hooks)
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.on('error', () => undefined)
    void answer(socket, handle)
  })
  if (process.platform !== 'win32') {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    rmSync(path, { force: true })
  }
  const before = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } finally {
    process.umask(before)
  }
  if (process.platform !== 'win32') chmodSync(path, 0o600)
  return {
    async close() {
      const late = setTimeout(() => {
        for (const socket of open) socket.destroy()
      }, closeGraceMs)
      await new Promise<void>((resolve) => void server.close(() => resolve()))
      clearTimeout(late)
      if (process.platform !== 'win32') rmSync(path, { force: true })
    },
  }
}

async function answer(socket: Socket, handle: ControlHandler): Promise<void> {
  const cancelled = new AbortController()
  socket.once('close', () => cancelled.abort(new Error('The command was cancelled.')))
  try {
    for await (const line of lines(socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>)) {
      await handle(line, {
        signal: cancelled.signal,
        send: (message) => void (socket.destroyed || socket.write(`${JSON.stringify(message)}\n`)),
      })
      break
    }
    socket.end()
  } catch {
    // The command went away in the middle of its request.
    socket.destroy()
  }
}
