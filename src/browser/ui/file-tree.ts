import type { PackageFiles } from '../service.ts'

/** One visible line of a tree: a folder or a file. */
export interface TreeRow {
  path: string
  name: string
  /** 1 at the top. */
  level: number
  /** Undefined for a folder. */
  size: number | undefined
  expanded: boolean
}

/** The lines that show, files sorted by folder, with those folders open that are in `open`. */
export function treeRows(files: PackageFiles['files'], open: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = []
  const seen = new Set<string>()
  for (const { path, size } of files) {
    const parts = path.split('/')
    let visible = true
    for (let depth = 1; depth < parts.length && visible; depth++) {
      const folder = parts.slice(0, depth).join('/')
      visible = open.has(folder)
      if (seen.has(folder)) continue
      seen.add(folder)
      rows.push({ path: folder, name: `${parts[depth - 1]}/`, level: depth, size: undefined, expanded: visible })
    }
    if (visible) rows.push({ path, name: parts.at(-1)!, level: parts.length, size, expanded: false })
  }
  return rows
}
