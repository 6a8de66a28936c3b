import { spawn } from 'node:child_process'

/** As the desktop does it; without one nothing happens, and the printed address must do. */
export function openBrowser(url: string): void {
  const [command, ...args] = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] }[process.platform as string] ?? [
    'xdg-open',
  ]
  const child = spawn(command!, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
