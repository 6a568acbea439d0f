import type { Libp2pOptions } from 'libp2p';

export interface NatTraversal {
  readonly transports: NonNullable<Libp2pOptions['transports']>;
  readonly services: NonNullable<Libp2pOptions['services']>;
  /** Asks connected relays for a place where others reach us. */
  readonly listen: string[];
}

/**
 * What reaches stations behind a NAT on the public network: relayed connections, hole punching over them, and a port
 * asked of the router. Loaded only when wanted: a private network starts without it.
 */
export async function natTraversal(options: { readonly dht: boolean }): Promise<NatTraversal> {
  const [relay, dcutr, autonat, upnp] = await Promise.all([
    import('@libp2p/circuit-relay-v2'),
    import('@libp2p/dcutr'),
    import('@libp2p/autonat'),
    import('@libp2p/upnp-nat'),
  ]);
  const services: NatTraversal['services'] = {
    dcutr: dcutr.dcutr(),
    autonat: autonat.autoNAT(),
    upnp: upnp.uPnPNAT(),
  };
  if (options.dht) {
    const { kadDHT } = await import('@libp2p/kad-dht');
    // Its components (ping among them) are there; libp2p's type for a service factory does not say so.
    services['dht'] = kadDHT({
      clientMode: true,
      protocol: '/ipfs/kad/1.0.0',
    }) as unknown as NatTraversal['services'][string];
  }
  return { transports: [relay.circuitRelayTransport()], services, listen: ['/p2p-circuit'] };
}
