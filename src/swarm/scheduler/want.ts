import type { FetchJob } from './fetch-job.ts';
import { USUAL_BYTES } from './peer-gauge.ts';
import type { Station, StationAsk } from './station.ts';

/** One fetch's interest in a block. */
export interface Claim {
  readonly job: FetchJob;
  readonly position: number;
}

/** A block on its way: asked once for all fetches that want it, and perhaps once more where it is late. */
export interface Want {
  readonly key: string;
  readonly codec: number;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  readonly size: number | undefined;
  /** 0 demand .. 2 background: the highest of its claims. */
  rank: number;
  readonly claims: Claim[];
  readonly asks: BlockAsk[];
}

/** One peer asked for one want. */
export interface BlockAsk extends StationAsk {
  readonly want: Want;
  readonly station: PeerStation;
  /** Monotonic milliseconds. */
  readonly askedAt: number;
  /** When the next best peer is asked too. */
  lateAt: number;
  readonly hedge: boolean;
}

export type PeerStation = Station<BlockAsk>;

export function wantBytes(want: Want): number {
  return want.size ?? USUAL_BYTES;
}

/** Key by which equal wants of several fetches find each other. */
export function wantKey(codec: number, digest: Uint8Array): string {
  return (
    (codec === 0x55 ? 'r' : 'd') +
    Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('latin1')
  );
}
