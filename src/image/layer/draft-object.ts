/** A file's content as it was hashed; whoever keeps it copies it. */
export interface DraftObject {
  /** 32 bytes: sha2-256 of its UnixFS root. */
  readonly hash: Uint8Array;
  /** Logical bytes. */
  readonly size: number;
  /** 32 bytes a leaf; needed where there is more than one. */
  readonly leaves?: Uint8Array;
}
