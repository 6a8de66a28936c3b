/** Most packages, and most peers per package, remembered: what peers tell us must not grow without bound. */
const maxPackages = 10_000
const maxPeersPerPackage = 32

/** Who is said to hold which package, newest knowledge last. A hint for where to ask first, never proof. */
export interface Holders {
  add(manifest: string, peerId: string): void
  of(manifest: string): string[]
  forget(peerId: string): void
  countFor(peerId: string): number
}

export function createHolders(): Holders {
  const byManifest = new Map<string, Set<string>>()
  const byPeer = new Map<string, Set<string>>()

  function dropManifest(manifest: string): void {
    for (const peerId of byManifest.get(manifest) ?? []) byPeer.get(peerId)?.delete(manifest)
    byManifest.delete(manifest)
  }

  return {
    add(manifest, peerId) {
      const peers = byManifest.get(manifest) ?? new Set<string>()
      if (peers.size >= maxPeersPerPackage && !peers.has(peerId)) return
      byManifest.delete(manifest)
      byManifest.set(manifest, peers.add(peerId))
      const manifests = byPeer.get(peerId) ?? new Set<string>()
      byPeer.set(peerId, manifests.add(manifest))
      const oldest = byManifest.keys().next().value
      if (byManifest.size > maxPackages && oldest !== undefined) dropManifest(oldest)
    },
    of: (manifest) => [...(byManifest.get(manifest) ?? [])],
    forget(peerId) {
      for (const manifest of byPeer.get(peerId) ?? []) {
        const peers = byManifest.get(manifest)
        peers?.delete(peerId)
        if (peers?.size === 0) byManifest.delete(manifest)
      }
      byPeer.delete(peerId)
    },
    countFor: (peerId) => byPeer.get(peerId)?.size ?? 0,
  }
}
