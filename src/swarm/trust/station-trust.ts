import { peerIdFromString } from '@libp2p/peer-id';
import { Fault } from '../../base/fault.ts';
import type { Bindings } from '../../store/bindings.ts';
import type { Values } from '../../store/values.ts';
import type { Trust } from '../swarm.ts';

export interface StationTrust extends Trust {
  /** 0 is trusted most; `undefined`: not trusted explicitly. */
  rank(peer: string): number | undefined;
  /** Called after each durable change. Returns the unsubscribe. */
  onChange(listener: (peer: string, trusted: boolean) => void): () => void;
}

export interface StationTrustComponents {
  readonly values: Values;
  readonly bindings: Bindings;
}

const VALUE = 'trust';
const MAX_TRUSTED = 1024;

/** The peers a user trusts by name, in their order; kept in the store. */
export function openTrust({ values, bindings }: StationTrustComponents): StationTrust {
  let peers: readonly string[] = values.get<string[]>(VALUE) ?? [];
  const listeners = new Set<(peer: string, trusted: boolean) => void>();

  const save = async (changed: readonly string[], peer: string, trusted: boolean): Promise<void> => {
    await values.put(VALUE, changed);
    peers = changed;
    for (const listener of listeners) listener(peer, trusted);
  };

  return {
    list: () => peers,
    rank(peer) {
      const rank = peers.indexOf(peer);
      return rank === -1 ? undefined : rank;
    },
    async add(text) {
      const peer = parsePeerId(text);
      if (peers.includes(peer)) {
        throw new Fault('exists', 'already-trusted', `${peer} is trusted already`, { fields: { peer } });
      }
      if (peers.length >= MAX_TRUSTED) {
        throw new Fault('invalid', 'too-many-trusted', `more than ${MAX_TRUSTED} trusted peers`, {
          fields: { limit: MAX_TRUSTED },
        });
      }
      await save([...peers, peer], peer, true);
    },
    async remove(text) {
      const peer = parsePeerId(text);
      if (!peers.includes(peer)) {
        throw new Fault('not-found', 'not-trusted', `${peer} is not trusted`, { fields: { peer } });
      }
      await save(
        peers.filter((other) => other !== peer),
        peer,
        false,
      );
      await bindings.dropSource(peer);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * A peer id as people write it (`12D3…`, `Qm…`, a CID) in the one form used everywhere else.
 * @throws Fault `invalid/bad-peer-id`
 */
export function parsePeerId(text: string): string {
  try {
    return peerIdFromString(text.trim()).toString();
  } catch (error) {
    throw new Fault('invalid', 'bad-peer-id', `not a peer id: ${JSON.stringify(text)}`, {
      cause: error,
      fields: { peer: text },
    });
  }
}
