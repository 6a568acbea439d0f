import type { CID } from 'multiformats/cid';
import type { Clock } from '../base/clock.ts';
import { toFault } from '../base/fault.ts';
import type { Logger } from '../observe/logger.ts';
import type { Bindings } from './bindings.ts';
import { blockKey, cidOfKey } from './block-key.ts';
import type { Lease, LeaseKind } from './lease.ts';
import type { HolderIndex } from './object-index.ts';
import type { ObjectStore } from './object-store.ts';
import { scanOrphans } from './orphan-scan.ts';
import type { GcOptions, InterruptedLease, Store, StoreUsage, SweepReport } from './store.ts';
import type { StoreFlush } from './store-flush.ts';
import type { StoreSettings } from './store-settings.ts';
import { type SweepComponents, sweep } from './sweep.ts';
import { createTurnPause } from './turn-pause.ts';
import type { Values } from './values.ts';

export interface DiskStoreComponents extends SweepComponents {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly settings: StoreSettings;
  readonly store: ObjectStore;
  readonly flush: StoreFlush;
  readonly holders: HolderIndex;
  readonly bindings: Bindings;
  readonly values: Values;
  /** The last run ended by a crash. */
  readonly orphansLikely: boolean;
  readonly releaseLock: () => void;
}

/** The lifecycle of the parts that `openStore` put together. */
export class DiskStore implements Store {
  readonly objects: ObjectStore;
  readonly blocks: DiskStoreComponents['blocks'];
  readonly images: DiskStoreComponents['images'];
  readonly drafts: DiskStoreComponents['drafts'];
  readonly bindings: Bindings;
  readonly values: Values;
  readonly #components: DiskStoreComponents;
  readonly #closing = new AbortController();
  #orphansLikely: boolean;
  #sweeping: Promise<SweepReport> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(components: DiskStoreComponents) {
    this.#components = components;
    this.objects = components.store;
    this.blocks = components.blocks;
    this.images = components.images;
    this.drafts = components.drafts;
    this.bindings = components.bindings;
    this.values = components.values;
    this.#orphansLikely = components.orphansLikely;
    this.#expireLeases();
  }

  lease(kind: LeaseKind, options: { shared?: boolean; subject?: string } = {}): Lease {
    return this.#components.leases.open(kind, options);
  }

  interrupted(): readonly InterruptedLease[] {
    return this.#components.leases.interrupted();
  }

  endInterrupted(id: string): void {
    this.#components.leases.endInterrupted(id);
  }

  #expireLeases(): void {
    const { leases, clock, settings } = this.#components;
    leases.expire(clock.now() - settings.keepInterruptedMs);
  }

  async quarantine(cid: CID): Promise<boolean> {
    const { objects, blocks, holders, database } = this.#components;
    const key = blockKey(cid);
    if (key === undefined) return false;
    let found = blocks.hasOwn(key);
    if (found) blocks.remove(key);
    const holding = [...holders.find(cid.multihash.digest)].map((holder) => holder.key);
    for (const object of [key, ...holding]) {
      if (!objects.has(object)) continue;
      this.#quarantineObject(object);
      found = true;
    }
    await database.durable();
    return found;
  }

  #quarantineObject(key: Buffer): void {
    const { objects, partialRows, queue, layout, logger } = this.#components;
    const name = cidOfKey(key).toString();
    logger.warn({ object: name }, 'an object does not hash to its CID: taken out of use');
    objects.remove(key, partialRows.has(key));
    queue.push({ op: 'move', from: layout.object(name), path: layout.quarantined(name) });
  }

  gc(options: GcOptions = {}): Promise<SweepReport> {
    if (this.#sweeping !== undefined && !options.cached && !options.interrupted) return this.#sweeping;
    const before = this.#sweeping?.catch(() => {}) ?? Promise.resolve();
    const run = before.then(() => this.#sweep(options));
    this.#sweeping = run;
    const over = (): void => {
      if (this.#sweeping === run) this.#sweeping = undefined;
    };
    run.then(over, over);
    return run;
  }

  async #sweep({ cached = false, interrupted = false, signal }: GcOptions): Promise<SweepReport> {
    const { clock, leases, logger } = this.#components;
    const signals =
      signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    const pause = createTurnPause(clock.monotonic, signals);
    const started = clock.monotonic();
    this.#expireLeases();
    if (interrupted) for (const { id } of leases.interrupted()) leases.endInterrupted(id);
    await this.#evictCached(cached ? 0 : this.#components.settings.cacheMaxBytes);
    // What was removed so far goes with this sweep.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await pause();
    const report = await sweep(this.#components, pause).catch((error) => {
      this.#orphansLikely = true;
      throw error;
    });
    if (this.#orphansLikely) {
      const orphans = await scanOrphans(this.#components, pause);
      this.#orphansLikely = false;
      logger.debug({ orphans }, 'looked for files without a row');
    }
    logger.info({ ...report, ms: Math.round(clock.monotonic() - started) }, 'swept the store');
    return report;
  }

  /** Drops cached images, least recently used first, until at most `max` bytes of them are left. */
  async #evictCached(max: number): Promise<void> {
    const { images, drafts, logger } = this.#components;
    // One that is used has a draft beside its record.
    const used = (root: string): boolean => drafts.get(root) !== undefined;
    const cached = [...images.all()]
      .filter(({ state, manifests }) => state === 'cached' && !manifests.some(({ root }) => used(root)))
      .sort((a, b) => a.usedAt - b.usedAt);
    let bytes = cached.reduce((sum, { contentSize }) => sum + contentSize, 0);
    for (const { root, contentSize } of cached) {
      if (bytes <= max) return;
      await images.remove(root);
      bytes -= contentSize;
      logger.info({ image: root, contentSize }, 'dropped a cached image');
    }
  }

  /** A sweep after the delay that the settings name, so that a series of removals costs one. */
  sweepSoon(): void {
    if (this.#timer !== undefined || this.#closed !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.gc().catch((error) => {
        const { kind, code, message } = toFault(error);
        if (kind !== 'cancelled') this.#components.logger.warn({ code, reason: message }, 'the sweep failed');
      });
    }, this.#components.settings.sweepDelayMs);
    this.#timer.unref();
  }

  usage(): StoreUsage {
    const { objects, blocks, partials } = this.#components;
    return {
      objects: objects.count,
      objectBytes: objects.bytes,
      partialBytes: partials.bytes(),
      blocks: blocks.count,
      blockBytes: blocks.storedBytes,
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { partials, queue, database, flush, objects, blocks, releaseLock, logger } = this.#components;
    clearTimeout(this.#timer);
    this.#closing.abort();
    await this.#sweeping?.catch(() => {});
    partials.close();
    try {
      await flush.flush();
      if (!this.#orphansLikely) flush.close(objects.bytes, blocks.storedBytes);
    } catch (error) {
      logger.warn({ reason: toFault(error).message }, 'the store could not be brought to disk whole');
    } finally {
      await queue.close();
      await database.close().catch((error) => {
        logger.warn({ reason: toFault(error).message }, 'the last rows could not be committed');
      });
      releaseLock();
    }
  }
}
