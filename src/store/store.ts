import type { CID } from 'multiformats/cid';
import type { Bindings } from './bindings.ts';
import type { BlockStore } from './block-store.ts';
import type { ImageDrafts } from './image-drafts.ts';
import type { ImageRecords } from './image-records.ts';
import type { Lease, LeaseKind } from './lease.ts';
import type { ObjectStore } from './object-store.ts';
import type { Values } from './values.ts';

export interface SweepReport {
  readonly objects: number;
  readonly blocks: number;
  /** Bytes given back on disk. */
  readonly bytes: number;
  /** Unreachable but kept for now by an open or interrupted lease. */
  readonly heldBytes: number;
}

export interface StoreUsage {
  readonly objects: number;
  readonly objectBytes: number;
  readonly partialBytes: number;
  readonly blocks: number;
  readonly blockBytes: number;
}

/** A push or pull that a crash cut: its data is kept for `store.keepInterrupted`, so that it can go on. */
export interface InterruptedLease {
  readonly id: string;
  readonly kind: LeaseKind;
  /** What the lease was opened for, e.g. the manifest root of a pull. */
  readonly subject?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface GcOptions {
  /** Also drop cached images. */
  readonly cached?: boolean;
  /** Also end interrupted leases: what half-done pushes and pulls left. */
  readonly interrupted?: boolean;
  readonly signal?: AbortSignal;
}

/** The lifecycle of everything on disk; `openStore` in `open-store.ts` makes it. */
export interface Store {
  readonly objects: ObjectStore;
  readonly blocks: BlockStore;
  readonly images: ImageRecords;
  /** Images that are not whole yet, kept as far as they are here. */
  readonly drafts: ImageDrafts;
  readonly bindings: Bindings;
  /** Small durable values of other rooms (trust, remembered choices, catalogue version), by name. */
  readonly values: Values;
  lease(kind: LeaseKind, options?: { shared?: boolean; subject?: string }): Lease;
  /** What crashes left, oldest first. */
  interrupted(): readonly InterruptedLease[];
  /** Ends an interrupted lease: a second run went through, or was given up. */
  endInterrupted(id: string): void;
  /**
   * Takes an object or block out of use whose bytes do not hash to its CID, so that it is fetched anew; an object's
   * file is kept below `quarantine/`. Answers false when there was none.
   */
  quarantine(cid: CID): Promise<boolean>;
  /** Marks from all roots, then unlinks what nothing holds. One at a time; a second call joins the first. */
  gc(options?: GcOptions): Promise<SweepReport>;
  usage(): StoreUsage;
  close(): Promise<void>;
}
