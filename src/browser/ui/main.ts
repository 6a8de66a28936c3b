/** The explorer's page: its elements, the theme, and the service worker that makes it open without a network. */
import { GgenCompare } from './ggen-compare.ts'
import { GgenExplorer } from './ggen-explorer.ts'
import { GgenFiles } from './ggen-files.ts'
import { GgenNetwork } from './ggen-network.ts'
import { GgenObtain } from './ggen-obtain.ts'
import { GgenPackage } from './ggen-package.ts'
import { GgenPublish } from './ggen-publish.ts'
import { GgenReadme } from './ggen-readme.ts'
import { GgenSearch } from './ggen-search.ts'
import { GgenSettings } from './ggen-settings.ts'
import { applyTheme, loadTheme, onNodeSettingsChanged } from './preferences.ts'

customElements.define('ggen-compare', GgenCompare)
customElements.define('ggen-files', GgenFiles)
customElements.define('ggen-readme', GgenReadme)
customElements.define('ggen-obtain', GgenObtain)
customElements.define('ggen-search', GgenSearch)
customElements.define('ggen-package', GgenPackage)
customElements.define('ggen-publish', GgenPublish)
customElements.define('ggen-network', GgenNetwork)
customElements.define('ggen-settings', GgenSettings)
customElements.define('ggen-explorer', GgenExplorer)

if (document.querySelector('ggen-explorer') !== null) {
  applyTheme(loadTheme())
  // The node may run in this tab: it starts again with them.
  onNodeSettingsChanged(() => location.reload())
  // Without one the explorer works all the same, as long as it can be loaded.
  navigator.serviceWorker?.register(workerUrl() as string).catch(() => undefined)
}

/** The page's policy takes script addresses only from code that vouches for them. */
function workerUrl(): unknown {
  const file = 'sw.js'
  const { trustedTypes } = globalThis as unknown as {
    trustedTypes?: { createPolicy(name: string, rules: object): { createScriptURL(text: string): unknown } }
  }
  return trustedTypes?.createPolicy('ggen-worker', { createScriptURL: () => file }).createScriptURL(file) ?? file
}
