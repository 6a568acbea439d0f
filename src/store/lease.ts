import type { CID } from 'multiformats/cid';

export type LeaseKind = 'push' | 'pull' | 'export' | 'verify' | 'read';

/**
 * The mark that keeps what an operation has seen, from first sight until it pins or ends. While a lease is
 * open nothing it saw is unlinked, and nothing that was stored since it opened.
 *
 * A lease that ends by a crash is found again at the next start as an *interrupted* one: what was stored
 * since it opened stays for `store.keepInterrupted`, so that a second run goes on where the first stopped.
 */
export interface Lease {
  readonly id: string;
  readonly kind: LeaseKind;
  /** What is put or seen under this lease is marked shared at once (a pull that serves from its first block on). */
  readonly shared: boolean;
  /**
   * Names a CID that the operation relies on, new or already here. Name first, then ask whether it is here (or both
   * without an await between): what was here then stays while the lease is open.
   */
  see(cid: CID): void;
  /** Ends the lease. What it saw is now kept by pins alone. Idempotent. */
  end(): void;
}
