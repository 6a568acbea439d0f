/** What passed between this station and one peer over `/shp/blocks/1`, since the start of the station. */
export interface LaneTraffic {
  /** Plain bytes of blocks received and sent. */
  readonly received: number;
  readonly sent: number;
  /** The same as they were on the wire: compressed, framed, everything of the protocol counted. */
  readonly receivedWire: number;
  readonly sentWire: number;
  /** Milliseconds, the smallest of the last round trips over a lane. */
  readonly latency?: number;
  /** Plain bytes a second that the peer delivers while it is asked, decayed. */
  readonly rate?: number;
  /** Why the peer is not asked any more. */
  readonly dropped?: string;
}

export interface LaneStats {
  /** `undefined` where nothing was exchanged yet. */
  traffic(peer: string): LaneTraffic | undefined;
}

/** Counts what the fetcher receives and the server sends; one book a station, given to both. */
export interface TrafficBook extends LaneStats {
  addReceived(peer: string, plain: number, wire: number): void;
  addSent(peer: string, plain: number, wire: number): void;
  setGauge(peer: string, latency: number | undefined, rate: number | undefined): void;
  setDropped(peer: string, reason: string): void;
  droppedReason(peer: string): string | undefined;
}

interface Entry {
  received: number;
  sent: number;
  receivedWire: number;
  sentWire: number;
  latency?: number | undefined;
  rate?: number | undefined;
  dropped?: string | undefined;
}

/** Peers remembered; beyond it the one that came first is forgotten. */
const MAX_PEERS = 4096;

export function createTrafficBook(): TrafficBook {
  const entries = new Map<string, Entry>();
  const entry = (peer: string): Entry => {
    let found = entries.get(peer);
    if (found === undefined) {
      if (entries.size >= MAX_PEERS) {
        const oldest = entries.keys().next().value;
        if (oldest !== undefined) entries.delete(oldest);
      }
      found = { received: 0, sent: 0, receivedWire: 0, sentWire: 0 };
      entries.set(peer, found);
    }
    return found;
  };
  return {
    traffic(peer) {
      const found = entries.get(peer);
      if (found === undefined) return undefined;
      const { received, sent, receivedWire, sentWire, latency, rate, dropped } = found;
      return {
        received,
        sent,
        receivedWire,
        sentWire,
        ...(latency === undefined ? {} : { latency }),
        ...(rate === undefined ? {} : { rate }),
        ...(dropped === undefined ? {} : { dropped }),
      };
    },
    addReceived(peer, plain, wire) {
      const at = entry(peer);
      at.received += plain;
      at.receivedWire += wire;
    },
    addSent(peer, plain, wire) {
      const at = entry(peer);
      at.sent += plain;
      at.sentWire += wire;
    },
    setGauge(peer, latency, rate) {
      const at = entry(peer);
      if (latency !== undefined) at.latency = latency;
      if (rate !== undefined) at.rate = rate;
    },
    setDropped(peer, reason) {
      entry(peer).dropped = reason;
    },
    droppedReason: (peer) => entries.get(peer)?.dropped,
  };
}
