import type { CID } from 'multiformats/cid';

/** Keeps dag-pb blocks and forgets raw ones, so that big files cost no memory. */
export interface CountingBlocks {
  readonly inner: ReadonlyMap<string, Uint8Array>;
  put(cid: CID, bytes: Uint8Array): CID;
  get(cid: CID): Generator<Uint8Array>;
}

export function countingBlocks(): CountingBlocks {
  const inner = new Map<string, Uint8Array>();
  return {
    inner,
    put(cid, bytes) {
      if (cid.code === 0x70) inner.set(cid.toString(), bytes);
      return cid;
    },
    *get(cid) {
      const bytes = inner.get(cid.toString());
      if (bytes !== undefined) yield bytes;
    },
  };
}
