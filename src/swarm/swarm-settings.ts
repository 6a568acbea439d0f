/** What the swarm may be told; the station makes one from the settings file. Times are milliseconds. */
export interface SwarmSettings {
  /** The 32-byte key of the private network; absent: the public IPFS network. */
  readonly networkKey?: Uint8Array;
  /** Multiaddrs, e.g. `/ip4/0.0.0.0/tcp/4001`. */
  readonly listen: readonly string[];
  /** Told to peers in place of what is listened on; empty: that. */
  readonly announce: readonly string[];
  /** Dialled at start and again while not connected. On a private network only what the user added. */
  readonly bootstrap: readonly string[];
  readonly mdns: boolean;
  /** Only loopback, private and link-local addresses. */
  readonly lanOnly: boolean;
  /** CIDR ranges; empty: all. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly maxConnections: number;
  /** Relay, hole punching and UPnP; public network only. */
  readonly natTraversal: boolean;
  /** Client of the public DHT, to be found by peer id later; off costs nothing. */
  readonly dht: boolean;
  /** What members of a private network are believed: nothing, names, or also layer bindings. */
  readonly trustMembers: 'none' | 'names' | 'all';
  /** Refuse ids that are not 64 digits. */
  readonly fullIds: boolean;
  /** How long an id or name is waited for. */
  readonly resolveWaitMs: number;
  /** How long a peer that sent wrong bytes is not let in. */
  readonly dropPeerMs: number;
  /** Catalogues of other stations kept in memory, all together. */
  readonly catalogueMaxBytes: number;
}

export const defaultSwarmSettings: SwarmSettings = {
  listen: ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/tcp/4001'],
  announce: [],
  bootstrap: [],
  mdns: true,
  lanOnly: false,
  allow: [],
  deny: [],
  maxConnections: 300,
  natTraversal: true,
  dht: false,
  trustMembers: 'names',
  fullIds: false,
  resolveWaitMs: 10_000,
  dropPeerMs: 60 * 60_000,
  catalogueMaxBytes: 64 * 1024 * 1024,
};
