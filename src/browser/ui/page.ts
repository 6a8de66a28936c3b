/** What the explorer's own page does besides showing its elements, and somebody else's page that shows them must not. */
import { onNodeSettingsChanged } from './preferences.ts'

// The node may run in this tab: it starts again with them.
onNodeSettingsChanged(() => location.reload())
// So that the page opens without a network. Without a worker it works all the same, as long as it can be loaded.
navigator.serviceWorker?.register(workerUrl() as string).catch(() => undefined)

/** The page's policy takes script addresses only from code that vouches for them. */
function workerUrl(): unknown {
  const file = 'sw.js'
  const { trustedTypes } = globalThis as unknown as {
    trustedTypes?: { createPolicy(name: string, rules: object): { createScriptURL(text: string): unknown } }
  }
  return trustedTypes?.createPolicy('ggen-worker', { createScriptURL: () => file }).createScriptURL(file) ?? file
}
