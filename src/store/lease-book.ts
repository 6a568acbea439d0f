import type { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import { CidMarks } from './cid-marks.ts';
import type { Lease, LeaseKind } from './lease.ts';
import { endOfRun, type Sequence } from './sequence.ts';
import type { InterruptedLease } from './store.ts';
import type { Table } from './table.ts';

/** A lease as the rooms of the store see it: also the place where a write that failed later is remembered. */
export interface StoreLease extends Lease {
  readonly ended: boolean;
  /** The first write under this lease that failed. */
  readonly failure: Fault | undefined;
  fail(failure: Fault): void;
}

export interface LeaseBook {
  open(kind: LeaseKind, options: { shared?: boolean; subject?: string }): StoreLease;
  /** @throws Fault `internal/lease-ended`; the first failed write of the lease */
  check(lease: Lease): StoreLease;
  /** The first failure of any open lease. */
  failure(): Fault | undefined;
  /** Whether an open or interrupted lease keeps what has this digest and birth number. */
  holds(digest: Uint8Array, born: number): boolean;
  /** Whether an open lease that shares keeps it. */
  shares(digest: Uint8Array, born: number): boolean;
  interrupted(): readonly InterruptedLease[];
  endInterrupted(id: string): void;
  /** Ends interrupted leases that began before `time` (milliseconds since 1970). */
  expire(time: number): void;
}

export interface LeaseBookComponents {
  readonly table: Table;
  readonly sequence: Sequence;
  readonly now: () => number;
  /** Called for each CID that a lease names. */
  readonly onSee: (lease: StoreLease, cid: CID) => void;
}

/** A lease on disk, as JSON; what was born from `from` to the end of that run of the station is kept by it. */
interface LeaseRow extends InterruptedLease {
  readonly from: number;
}

/** Only these store anything worth going on with. */
const KEPT_KINDS: ReadonlySet<LeaseKind> = new Set(['push', 'pull']);
const MAX_INTERRUPTED = 10_000;

export function openLeaseBook(components: LeaseBookComponents): LeaseBook {
  return new TableLeaseBook(components);
}

class TableLeaseBook implements LeaseBook {
  readonly #components: LeaseBookComponents;
  readonly #open = new Set<BookLease>();
  readonly #interrupted = new Map<string, LeaseRow>();

  constructor(components: LeaseBookComponents) {
    this.#components = components;
    for (const { value } of components.table.committedRows({ limit: MAX_INTERRUPTED })) {
      const row = JSON.parse(value.toString()) as LeaseRow;
      this.#interrupted.set(row.id, row);
    }
  }

  open(kind: LeaseKind, { shared = false, subject }: { shared?: boolean; subject?: string }): StoreLease {
    const { table, sequence, now, onSee } = this.#components;
    const from = sequence.take();
    const key = Buffer.from(`${from}`);
    const lease = new BookLease(`${from}`, kind, shared, from, onSee, () => {
      this.#open.delete(lease);
      if (KEPT_KINDS.has(kind)) table.remove(key);
    });
    this.#open.add(lease);
    if (KEPT_KINDS.has(kind)) {
      const row: LeaseRow = {
        id: lease.id,
        kind,
        ...(subject !== undefined && { subject }),
        startedAt: now(),
        from,
      };
      table.put(key, Buffer.from(JSON.stringify(row)));
    }
    return lease;
  }

  check(lease: Lease): StoreLease {
    if (!(lease instanceof BookLease) || !this.#open.has(lease)) {
      throw new Fault(
        'internal',
        'lease-ended',
        `lease ${lease.id} has ended: nothing can be stored under it`,
      );
    }
    if (lease.failure !== undefined) throw lease.failure;
    return lease;
  }

  failure(): Fault | undefined {
    for (const lease of this.#open) if (lease.failure !== undefined) return lease.failure;
    return undefined;
  }

  holds(digest: Uint8Array, born: number): boolean {
    for (const lease of this.#open) if (lease.holds(digest, born)) return true;
    for (const { from } of this.#interrupted.values()) if (born >= from && born < endOfRun(from)) return true;
    return false;
  }

  shares(digest: Uint8Array, born: number): boolean {
    for (const lease of this.#open) if (lease.shared && lease.holds(digest, born)) return true;
    return false;
  }

  interrupted(): readonly InterruptedLease[] {
    return [...this.#interrupted.values()]
      .sort((a, b) => a.startedAt - b.startedAt)
      .map(({ from: _from, ...lease }) => lease);
  }

  endInterrupted(id: string): void {
    if (this.#interrupted.delete(id)) this.#components.table.remove(Buffer.from(id));
  }

  expire(time: number): void {
    for (const { id, startedAt } of [...this.#interrupted.values()]) {
      if (startedAt < time) this.endInterrupted(id);
    }
  }
}

class BookLease implements StoreLease {
  readonly id: string;
  readonly kind: LeaseKind;
  readonly shared: boolean;
  readonly #from: number;
  readonly #seen = new CidMarks();
  readonly #onSee: (lease: StoreLease, cid: CID) => void;
  readonly #onEnd: () => void;
  ended = false;
  failure: Fault | undefined;

  constructor(
    id: string,
    kind: LeaseKind,
    shared: boolean,
    from: number,
    onSee: (lease: StoreLease, cid: CID) => void,
    onEnd: () => void,
  ) {
    this.id = id;
    this.kind = kind;
    this.shared = shared;
    this.#from = from;
    this.#onSee = onSee;
    this.#onEnd = onEnd;
  }

  see(cid: CID): void {
    if (this.ended) return;
    this.#seen.add(cid.multihash.digest);
    this.#onSee(this, cid);
  }

  holds(digest: Uint8Array, born: number): boolean {
    return born >= this.#from || this.#seen.has(digest);
  }

  fail(failure: Fault): void {
    this.failure ??= failure;
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#onEnd();
  }
}
