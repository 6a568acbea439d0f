import { createCipheriv, createHash } from 'node:crypto';
import type { CID } from 'multiformats/cid';
import { systemClock } from '../../../src/base/clock.ts';
import type { BlockPlan } from '../../../src/image/dag/block-plan.ts';
import type { DagBlock } from '../../../src/image/dag/dag-block.ts';
import { dagPbCid, rawCid } from '../../../src/image/dag/file-dag.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import type { BlockStore } from '../../../src/store/block-store.ts';
import type { ImageRecord, ImageRecords, ManifestRecord } from '../../../src/store/image-records.ts';
import { createBlockServer } from '../../../src/swarm/lanes/block-server.ts';
import { createHoldingsBook } from '../../../src/swarm/lanes/holdings-book.ts';
import { createTrafficBook } from '../../../src/swarm/lanes/lane-traffic.ts';
import {
  type BitswapSource,
  createBlockFetcher,
  type FetchSettings,
} from '../../../src/swarm/scheduler/create-block-fetcher.ts';
import type { MemoryNetwork } from './memory-link.ts';

/** Blocks in memory; `unshared` ones are refused to whoever asks for shared ones only. */
export class MemoryBlocks implements BlockStore {
  readonly map = new Map<string, Uint8Array>();
  readonly unshared = new Set<string>();
  /** CIDs read, in order. */
  readonly reads: string[] = [];

  add(blocks: Iterable<DagBlock>): this {
    for (const { cid, bytes } of blocks) this.map.set(cid.toString(), bytes);
    return this;
  }

  #find(cid: CID, sharedOnly: boolean | undefined): Uint8Array | undefined {
    const key = cid.toString();
    return sharedOnly === true && this.unshared.has(key) ? undefined : this.map.get(key);
  }

  has(cid: CID): boolean {
    return this.map.has(cid.toString());
  }

  getSync(cid: CID, options?: { sharedOnly?: boolean }): Uint8Array | undefined {
    this.reads.push(cid.toString());
    return this.#find(cid, options?.sharedOnly);
  }

  async get(cid: CID, options?: { sharedOnly?: boolean }): Promise<Uint8Array | undefined> {
    return this.getSync(cid, options);
  }

  size(cid: CID, options?: { sharedOnly?: boolean }): number | undefined {
    return this.#find(cid, options?.sharedOnly)?.length;
  }

  put(_lease: unknown, cid: CID, bytes: Uint8Array): void {
    this.map.set(cid.toString(), bytes);
  }
}

/** Image records that say which manifest roots are complete. */
export class MemoryRecords implements Pick<ImageRecords, 'all' | 'onChange'> {
  readonly #records: ImageRecord[] = [];
  readonly #listeners = new Set<() => void>();

  complete(root: CID): void {
    const manifest = { root: root.toString() } as ManifestRecord;
    this.#records.push({ root: 'image', shared: true, manifests: [manifest] } as unknown as ImageRecord);
    for (const listener of this.#listeners) listener();
  }

  all(): Iterable<ImageRecord> {
    return this.#records;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export const fetchSettings: FetchSettings = {
  windowBytes: 32 * 1024 * 1024,
  waitMs: 30_000,
  treeMaxBytes: 64 * 1024 * 1024,
  compress: 'auto',
};

export interface StationOptions {
  readonly uploadLimit?: number;
  readonly settings?: Partial<FetchSettings>;
  readonly bitswap?: BitswapSource;
  readonly random?: () => number;
}

/** Server and fetcher of one station on a network in memory. */
export function memoryStation(network: MemoryNetwork, name: string, options: StationOptions = {}) {
  const streams = network.streams(name);
  const blocks = new MemoryBlocks();
  const records = new MemoryRecords();
  const holdings = createHoldingsBook({ images: records as unknown as ImageRecords });
  const traffic = createTrafficBook();
  const dropped: string[] = [];
  const shared = { streams, blocks, traffic, logger: silentLogger, clock: systemClock };
  const server = createBlockServer({ ...shared, holdings }, { uploadLimit: options.uploadLimit ?? 0 });
  server.start();
  const fetcher = createBlockFetcher(
    {
      ...shared,
      bitswap: options.bitswap,
      random: options.random ?? Math.random,
      dropPeer: (peer, reason) => {
        dropped.push(`${peer} ${reason}`);
      },
    },
    { ...fetchSettings, ...options.settings },
  );
  return {
    name,
    blocks,
    records,
    holdings,
    traffic,
    fetcher,
    server,
    dropped,
    stop() {
      fetcher.stop();
      server.stop();
    },
  };
}

/** Bytes that differ by `seed` and do not shrink. */
export function noise(seed: number, length: number): Uint8Array {
  const key = createHash('sha256').update(`${seed}`).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  return cipher.update(Buffer.alloc(length));
}

export function sha(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

export const rawBlock = (bytes: Uint8Array): DagBlock => ({ cid: rawCid(sha(bytes)), bytes });
export const someRoot = (text: string): CID => dagPbCid(sha(Buffer.from(text)));

/** A plan over `count` raw blocks of the sizes that `size` gives. */
export function somePlan(count: number, size: (index: number) => number, seed = 0) {
  const blocks = Array.from({ length: count }, (_, i) => rawBlock(noise(seed * 100_000 + i, size(i))));
  const digests = new Uint8Array(count * 32);
  blocks.forEach(({ cid }, i) => {
    digests.set(cid.multihash.digest, i * 32);
  });
  const sizes = Uint32Array.from(blocks, ({ bytes }) => bytes.length);
  const plan: BlockPlan = { count, digests, sizes };
  const total = sizes.reduce((sum, length) => sum + length, 0);
  return { plan, blocks, total, wanted: Uint32Array.from({ length: count }, (_, i) => i) };
}
