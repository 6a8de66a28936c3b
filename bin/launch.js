import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const oldest = [22, 13]

/** Runs a bundled command: its module exports `run(argv)` and resolves to the exit code. Must itself run on old versions of Node.js, to say so. */
export async function launch(command, bundle) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) return useNewerNode(command)
  // Compiled code is kept between runs: a command starts in half the time.
  module.enableCompileCache?.()
  const { run } = await import(bundle)
  process.exitCode = await run(process.argv.slice(2))
}

/** In a checkout the package `node` lies beside this one; elsewhere the user must bring a newer one. */
function useNewerNode(command) {
  const bundled = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))
  if (!existsSync(bundled)) {
    process.stderr.write(
      `Error [USAGE]: ${command} needs Node.js ${oldest.join('.')} or newer; this is ${process.versions.node}.\n`,
    )
    process.stderr.write('Hint: Install a current Node.js, or run: npx -p node@24 -p ggen-p2p ggen\n')
    process.exitCode = 2
    return
  }
  const child = spawn(bundled, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('close', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
  })
}
