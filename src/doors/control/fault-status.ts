import type { FaultKind } from '../../base/fault.ts';

/** How each kind of fault leaves this door; the body says the rest. */
export const FAULT_STATUS: Readonly<Record<FaultKind, number>> = {
  'not-found': 404,
  exists: 409,
  invalid: 400,
  corrupt: 422,
  unavailable: 503,
  busy: 423,
  denied: 403,
  unsupported: 501,
  // Not in the RFCs; what nginx logs when a client closed before the answer.
  cancelled: 499,
  internal: 500,
};
