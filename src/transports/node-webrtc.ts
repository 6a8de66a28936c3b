import { createHash } from 'node:crypto'
import type { PlatformContext, PlatformParts } from './libp2p-network.ts'

/** WebRTC for Node. The certificate and its key stay in the datastore, so that webrtc-direct addresses survive a restart. */
export async function webrtcParts(
  identity: Uint8Array,
  { peerId, privateNetwork }: PlatformContext,
): Promise<Required<Pick<PlatformParts, 'transports' | 'services'>>> {
  const [{ webRTC, webRTCDirect }, { keychain }] = await Promise.all([
    import('@libp2p/webrtc'),
    import('@libp2p/keychain'),
  ])
  // Asking public STUN servers for our address helps nobody on a private network.
  const rtcConfiguration = privateNetwork ? { rtcConfiguration: { iceServers: [] } } : {}
  const certificate = {
    certificateKeychainName: `webrtc-direct-${peerId}`,
    certificateDatastoreKey: `/ggen/webrtc-direct/${peerId}`,
  }
  // A key at rest, protected by the identity that lies beside it; the password has all its entropy, so stretching it only costs time.
  const pass = createHash('sha256').update('ggen keychain').update(identity).digest('base64url')
  return {
    transports: [
      webRTC(rtcConfiguration),
      webRTCDirect({ ...rtcConfiguration, ...certificate }),
    ] as PlatformParts['transports'],
    services: { keychain: keychain({ pass, dek: { iterationCount: 1000 } } as never) as never },
  }
}
