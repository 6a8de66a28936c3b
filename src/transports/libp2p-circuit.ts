import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { Libp2pOptions } from 'libp2p'

/** Being reached, and reaching others, through relays. Reservations are made side by side: one that has to wait for another in libp2p's queue is never made. */
export function circuitTransport(): NonNullable<Libp2pOptions['transports']>[number] {
  return circuitRelayTransport({ reservationConcurrency: 8 })
}
