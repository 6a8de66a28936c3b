/** Defines the explorer's elements, for its own page and for anybody's: nothing else happens by loading this. */
import type { ExplorerElement, PackageElement, SearchElement } from './elements.ts'
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

const elements = {
  'ggen-compare': GgenCompare,
  'ggen-files': GgenFiles,
  'ggen-readme': GgenReadme,
  'ggen-obtain': GgenObtain,
  'ggen-search': GgenSearch satisfies new () => SearchElement,
  'ggen-package': GgenPackage satisfies new () => PackageElement,
  'ggen-publish': GgenPublish,
  'ggen-network': GgenNetwork,
  'ggen-settings': GgenSettings,
  'ggen-explorer': GgenExplorer satisfies new () => ExplorerElement,
}

// All or none: a page may load this from two relays, and the elements of one share a node.
if (customElements.get('ggen-explorer') === undefined)
  for (const [name, element] of Object.entries(elements)) customElements.define(name, element)
