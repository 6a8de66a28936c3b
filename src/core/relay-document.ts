/** Where a relay, or the explorer's server on somebody's machine, says to pages who it is and where it is dialled. */
export const relayDocumentPath = '/.well-known/ggen-p2p.json'

/** Whether a page can dial an address: over WebSocket, WebTransport or webrtc-direct. */
export const isBrowserDialable = (address: string): boolean =>
  /\/(ws|wss|webrtc-direct|webtransport)(\/|$)/.test(address)

/** Peer ID of the relay that an address runs through; undefined for one without. */
export const relayOfAddress = (address: string): string | undefined => /\/p2p\/([^/]+)\/p2p-circuit/.exec(address)?.[1]
