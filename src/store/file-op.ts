import type { PackedOps } from './packed-ops.ts';

/** Where an operation's bytes lie in the slab of its batch. */
export interface SlabSlice {
  readonly at: number;
  readonly length: number;
}

/**
 * What the file worker does, in order. A `stream` is a file in `tmp/` that is written front to back; once one of its
 * operations failed, the rest of them do nothing and `publish` fails with the first error.
 */
export type FileOp =
  /** A whole file through `tmp`. */
  | ({ readonly op: 'write'; readonly tmp: string; readonly path: string } & SlabSlice)
  | ({ readonly op: 'append'; readonly stream: string } & SlabSlice)
  | { readonly op: 'hole'; readonly stream: string; readonly length: number }
  /** The first `length` bytes of another file. */
  | { readonly op: 'copy'; readonly stream: string; readonly from: string; readonly length: number }
  | { readonly op: 'publish'; readonly stream: string; readonly path: string }
  | { readonly op: 'discard'; readonly stream: string }
  /** Bytes inside a file of `size` bytes, which is made where it is missing. */
  | ({
      readonly op: 'patch';
      readonly path: string;
      readonly offset: number;
      readonly size: number;
    } & SlabSlice)
  | {
      readonly op: 'patch-from';
      readonly path: string;
      readonly offset: number;
      readonly size: number;
      readonly from: string;
      readonly fromOffset: number;
      readonly length: number;
    }
  | { readonly op: 'move'; readonly from: string; readonly path: string; readonly size?: number }
  /** A file that is not there is no error. */
  | { readonly op: 'unlink'; readonly path: string };

/** Operations as {@link encodeOps} packs them, and the slab that their bytes lie in. */
export interface FileBatch extends PackedOps {
  readonly id: number;
  readonly slab: ArrayBuffer;
}

export interface FileOpFailure {
  /** Index into the batch. */
  readonly index: number;
  readonly code: string;
  readonly path: string;
  readonly message: string;
}

/** The slab comes back to be used again. */
export interface FileBatchDone {
  readonly id: number;
  readonly failures: readonly FileOpFailure[];
  readonly slab: ArrayBuffer;
}

/** `progress[0]`: id of the last batch done, for callers that block on it. */
export interface FileWorkerData {
  /** On the store's filesystem. */
  readonly folder: string;
  /** Bytes to leave free there. */
  readonly reserveBytes: number;
  readonly progress: Int32Array;
}
