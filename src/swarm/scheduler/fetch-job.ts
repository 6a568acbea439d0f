import type { CID } from 'multiformats/cid';
import { Fault, toFault } from '../../base/fault.ts';
import { dagPbCid, RAW_CODEC, rawCid } from '../../image/dag/file-dag.ts';
import type { FetchProgress, FetchReport } from '../block-fetcher.ts';
import { hasBit, setBit } from '../lanes/bit-runs.ts';
import type { Holding } from '../lanes/holdings-book.ts';
import { BlockRuns, type RunView } from './block-runs.ts';
import { USUAL_BYTES } from './peer-gauge.ts';

/** What one fetch wants; `wanted` are indexes into `digests`. */
export interface JobRequest {
  /** What availability is told for; absent: a block that belongs to no known root. */
  readonly root?: CID;
  readonly codec: number;
  readonly digests: Uint8Array;
  readonly sizes?: Uint32Array;
  readonly wanted: Uint32Array;
  /** 0 demand .. 2 background. */
  readonly rank: number;
  readonly peers?: ReadonlySet<string>;
  /** 0 <= x < 1, see {@link BlockRuns}. */
  readonly first: number;
  readonly onBlock: (index: number, bytes: Uint8Array, peer: string) => void | Promise<void>;
  /** It came by another fetch meanwhile. */
  readonly here?: (index: number) => boolean;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Milliseconds without progress; absent: the setting. */
  readonly waitMs?: number;
}

/** A station, as far as a job asks what it has. */
export interface Holder {
  /** `undefined`: it did not say yet. */
  holding(root: string): Holding | undefined;
}

export type Holds = 'yes' | 'maybe' | 'no' | 'missing';

interface Arrived {
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly peer: string;
  /** Of the window, given back once the block is taken. */
  readonly held: number;
}

/** So few wanted blocks are searched, not mapped: a read's fetch must not cost memory by the size of its image. */
const FEW = 64;
const RECENT_MS = 2000;
const PROGRESS_MS = 100;

/** One fetch: what of it is done, who has what of it, and the handing over of blocks in their order of arrival. */
export class FetchJob {
  readonly request: JobRequest;
  readonly rootText: string | undefined;
  readonly runs: BlockRuns;
  readonly finished: Promise<FetchReport>;
  /** Peers that were asked for anything. */
  readonly asked = new Set<string>();
  readonly gaveAt = new Map<string, number>();
  /** Monotonic milliseconds of the last sign that it goes on. */
  progressAt: number;
  /** Since when it has blocks that nobody is known to have. */
  stuckAt: number | undefined;
  /** When that was looked at. */
  lookedAt = 0;
  bytes = 0;
  wireBytes = 0;
  /** Bytes asked for this job lately, for turns between jobs of one class. */
  served = 0;
  ended = false;
  readonly #byPeer: Record<string, number> = {};
  /** By station: blocks that it answered it does not have. */
  readonly #missing = new Map<Holder, Uint8Array>();
  /** By plan index: its position among the wanted, plus one; made when first asked for. */
  #positions: Uint32Array | undefined;
  readonly #taken: (bytes: number) => void;
  readonly #finish: PromiseWithResolvers<FetchReport>;
  readonly #startedAt: number;
  #arrived: Arrived[] = [];
  /** What is being handed over: a block stays in it until it is taken. */
  #batch: readonly Arrived[] = [];
  #taking = 0;
  #handing = false;
  /** Bytes of the window that blocks hold which came and are not taken. */
  #held = 0;
  #rate = 0;
  #rateAt: number;
  #rateBytes = 0;
  #toldAt = 0;

  /** @param taken told when a block was taken by `onBlock`, with the bytes of the window it held */
  constructor(request: JobRequest, now: number, taken: (bytes: number) => void) {
    this.request = request;
    this.rootText = request.root?.toString();
    this.progressAt = now;
    this.#startedAt = now;
    this.#rateAt = now;
    this.#taken = taken;
    const { wanted, sizes } = request;
    this.runs = new BlockRuns(
      wanted.length,
      (position) => sizes?.[wanted[position]!] ?? USUAL_BYTES,
      request.first,
    );
    this.#finish = Promise.withResolvers();
    this.finished = this.#finish.promise;
    if (wanted.length === 0) this.#complete();
  }

  get handing(): boolean {
    return this.#handing;
  }

  allows(peer: string): boolean {
    return this.request.peers?.has(peer) ?? true;
  }

  digest(position: number): Uint8Array {
    const index = this.request.wanted[position]!;
    return this.request.digests.subarray(index * 32, index * 32 + 32);
  }

  /** Where a block of the plan stands in what this fetch wants and nobody was asked for; `undefined`: nowhere. */
  unasked(index: number): number | undefined {
    const { wanted, digests } = this.request;
    let position: number;
    if (wanted.length <= FEW) {
      position = wanted.indexOf(index);
    } else {
      this.#positions ??= positionsOf(wanted, digests.length / 32);
      position = (this.#positions[index] as number) - 1;
    }
    return position >= 0 && this.runs.isUnasked(position) ? position : undefined;
  }

  size(position: number): number | undefined {
    return this.request.sizes?.[this.request.wanted[position]!];
  }

  cid(position: number): CID {
    const digest = this.digest(position).slice();
    return this.request.codec === RAW_CODEC ? rawCid(digest) : dagPbCid(digest);
  }

  holds(station: Holder, position: number): Holds {
    const index = this.request.wanted[position]!;
    const missing = this.#missing.get(station);
    if (missing !== undefined && hasBit(missing, index)) return 'missing';
    if (this.rootText === undefined) return 'maybe';
    const holding = station.holding(this.rootText);
    if (holding === undefined) return 'maybe';
    if (holding === 'all') return 'yes';
    if (holding === 'none') return 'no';
    return hasBit(holding, index) ? 'yes' : 'no';
  }

  /** What a station has, for the choice of a run. @param unsure count a station that did not say yet as one that has */
  view(station: Holder, stations: readonly Holder[], unsure: boolean): RunView {
    const { rootText } = this;
    const has = (at: Holder, position: number): boolean => {
      const holds = this.holds(at, position);
      return holds === 'yes' || (unsure && holds === 'maybe');
    };
    const even = stations.every((at) => rootText !== undefined && at.holding(rootText) === 'all');
    return {
      has: (position) => has(station, position),
      even,
      holders: (position) => {
        let count = 0;
        for (const at of stations) if (has(at, position)) count++;
        return count;
      },
    };
  }

  setMissing(station: Holder, position: number): void {
    let bitmap = this.#missing.get(station);
    if (bitmap === undefined) {
      bitmap = new Uint8Array((this.request.digests.length / 32 + 7) >> 3);
      this.#missing.set(station, bitmap);
    }
    setBit(bitmap, this.request.wanted[position]!);
  }

  /** The station told anew what it has: what it now says it has may be asked again. */
  heldAnew(station: Holder): void {
    const missing = this.#missing.get(station);
    const holding = this.rootText === undefined ? undefined : station.holding(this.rootText);
    if (missing === undefined || holding === undefined || typeof holding === 'string') return;
    for (let i = 0; i < missing.length; i++) missing[i]! &= ~(holding[i] ?? 0);
  }

  forget(station: Holder): void {
    this.#missing.delete(station);
    this.runs.leave(station);
  }

  /** Takes a verified block. @param held bytes of the window that it holds until `onBlock` took it */
  arrived(position: number, bytes: Uint8Array, peer: string, held: number, now: number): void {
    if (this.ended || this.runs.isDone(position)) {
      this.#taken(held);
      return;
    }
    this.runs.finish(position);
    this.progressAt = now;
    this.gaveAt.set(peer, now);
    this.bytes += bytes.length;
    this.#byPeer[peer] = (this.#byPeer[peer] ?? 0) + bytes.length;
    this.#held += held;
    this.#arrived.push({ position, bytes, peer, held });
    if (!this.#handing) void this.#handOver();
  }

  /** It is here: nobody is asked for it, and it is not handed over. */
  skip(position: number): void {
    this.runs.finish(position);
    if (!this.#handing && this.runs.done === this.runs.count) this.#complete();
  }

  /** A block of the plan that came and is not taken yet: whoever asks for it now need not ask a peer. */
  untaken(index: number): { readonly bytes: Uint8Array; readonly peer: string } | undefined {
    const { wanted } = this.request;
    const isIt = ({ position }: Arrived): boolean => wanted[position] === index;
    return this.#batch.slice(this.#taking).find(isIt) ?? this.#arrived.find(isIt);
  }

  async #handOver(): Promise<void> {
    this.#handing = true;
    try {
      while (this.#arrived.length > 0 && !this.ended) {
        const arrived = this.#arrived;
        this.#arrived = [];
        this.#batch = arrived;
        for (let i = 0; i < arrived.length && !this.ended; i++) {
          this.#taking = i;
          const { position, bytes, peer, held } = arrived[i]!;
          const pending = this.request.onBlock(this.request.wanted[position]!, bytes, peer);
          if (pending !== undefined) await pending;
          this.#give(held);
        }
        this.#batch = [];
      }
      this.#handing = false;
      if (this.runs.done === this.runs.count) this.#complete();
    } catch (thrown) {
      this.#handing = false;
      this.fail(toFault(thrown));
    }
  }

  #complete(): void {
    if (this.ended) return;
    this.#end();
    this.#finish.resolve(this.report());
  }

  fail(fault: Fault): void {
    if (this.ended) return;
    this.#end();
    this.#finish.reject(fault);
  }

  #give(held: number): void {
    if (this.ended) return;
    this.#held -= held;
    this.#taken(held);
  }

  #end(): void {
    this.ended = true;
    this.#arrived = [];
    this.#batch = [];
    this.#taken(this.#held);
    this.#held = 0;
  }

  report(): FetchReport {
    return { bytes: this.bytes, wireBytes: this.wireBytes, byPeer: this.#byPeer };
  }

  /** Tells the progress, at most every 100 ms. */
  tell(now: number): void {
    if (this.request.onProgress === undefined || now - this.#toldAt < PROGRESS_MS) return;
    const seconds = (now - this.#rateAt) / 1000;
    if (seconds > 0) {
      const share = Math.min(1, seconds / Math.min(RECENT_MS / 1000, (now - this.#startedAt) / 1000));
      this.#rate += ((this.bytes - this.#rateBytes) / seconds - this.#rate) * share;
      this.#rateAt = now;
      this.#rateBytes = this.bytes;
    }
    this.#toldAt = now;
    let peers = 0;
    for (const at of this.gaveAt.values()) if (now - at <= RECENT_MS) peers++;
    this.request.onProgress({
      bytes: this.bytes,
      wireBytes: this.wireBytes,
      peers,
      rate: Math.round(this.#rate),
    });
  }

  nobodyHas(): Fault {
    const position = Math.max(0, this.runs.firstMissing());
    const block = this.cid(position).toString();
    const peers = [...this.asked];
    const who =
      peers.length === 0 ? 'no station is connected that may be asked' : `asked: ${peers.join(', ')}`;
    return new Fault('unavailable', 'no-peer-has-block', `no peer gives block ${block} (${who})`, {
      fields: { block, peers },
    });
  }
}

function positionsOf(wanted: Uint32Array, count: number): Uint32Array {
  const positions = new Uint32Array(count);
  for (const [position, index] of wanted.entries()) positions[index] = position + 1;
  return positions;
}
