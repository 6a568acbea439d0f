import type { RequestId } from '../fuse/filesystem.ts';

/** A request that waits for content: what the FUSE thread hands to the thread that talks to the station. */
export interface MissingContent {
  readonly request: RequestId;
  readonly node: number;
  readonly chain: string;
  readonly layer: number;
  readonly object: number;
  /** Text of the object's CID and its bytes. */
  readonly cid: string;
  readonly size: number;
  /** The leaves that are needed. */
  readonly first: number;
  readonly end: number;
  /** `open`: answer with `handle`, reads follow as READ. `read`: answer with the bytes. */
  readonly answer:
    | { readonly kind: 'open'; readonly handle: number }
    | { readonly kind: 'read'; readonly offset: number; readonly length: number };
  /** For logs. */
  readonly path: string;
  /**
   * Of a large object: the leaves known to be here, one bit each, leaf 0 in bit 0 of byte 0, shared between the threads:
   * who answers sets them, so that the next read is answered at once.
   */
  readonly bits?: SharedArrayBuffer;
}
