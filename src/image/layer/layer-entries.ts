/** The entries of one layer in index order, ready to be encoded. */
export interface LayerEntries {
  readonly entryCount: number;
  /** Distinct objects that an entry of the layer still has; in order of their first entry. */
  readonly objectCount: number;
  /** Bytes of all distinct objects. */
  readonly contentSize: number;
  readonly linkCount: number;
  readonly deviceCount: number;
  readonly xattrSetCount: number;
  /** The columns, in the order of `INDEX_SECTIONS`. */
  readonly sections: readonly Uint8Array[];
  /** Whether the object with this hash (sha2-256 of its UnixFS root) is in the layer. */
  keepsObject(hash: Uint8Array): boolean;
  /** Its number, -1 where it is not in the layer. */
  objectNumber(hash: Uint8Array): number;
  /** Logical bytes of an object by its number. */
  objectSize(object: number): number;
}
