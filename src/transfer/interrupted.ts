import type { LeaseKind } from '../store/lease.ts';
import type { Store } from '../store/store.ts';

/** Gives up what crashes left of the same operation: it went through now, and what it needs is pinned. */
export function endInterrupted(store: Store, kind: LeaseKind, subject: string): void {
  for (const lease of store.interrupted()) {
    if (lease.kind === kind && lease.subject === subject) store.endInterrupted(lease.id);
  }
}
