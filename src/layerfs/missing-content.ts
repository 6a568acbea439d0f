import type { RequestId } from '../fuse/filesystem.ts';

/** Content that is not here: what the FUSE thread hands to the thread that talks to the station. */
export interface MissingContent {
  /** Means nothing where the answer is `ahead`. */
  readonly request: RequestId;
  readonly node: number;
  readonly chain: string;
  readonly layer: number;
  readonly object: number;
  /** Text of the object's CID and its bytes. */
  readonly cid: string;
  readonly size: number;
  /** The leaves that are needed: `[first, end)`. */
  readonly first: number;
  readonly end: number;
  /**
   * `open`: answer with `handle`, reads follow as READ; the open is counted already. `read`: answer with the bytes.
   * `ahead`: nobody waits; what comes is only marked in `leaves`.
   */
  readonly answer:
    | { readonly kind: 'open'; readonly handle: number }
    | { readonly kind: 'read'; readonly offset: number; readonly length: number }
    | { readonly kind: 'ahead' };
  /** For logs. */
  readonly path: string;
  /** Of a large object: which leaves are here, shared between the threads (see `shared-leaves.ts`): who answers marks them. */
  readonly leaves?: SharedArrayBuffer;
}
