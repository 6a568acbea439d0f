/** One named key-value database with binary keys and values. What was put is seen at once by this process. */
export interface Table {
  /** The caller's own copy. */
  get(key: Buffer): Buffer | undefined;
  has(key: Buffer): boolean;
  /** Takes both buffers: they must not change afterwards. */
  put(key: Buffer, value: Buffer): void;
  remove(key: Buffer): void;
  /** Up to `limit` rows with `from <= key < to` in key order, without what is not committed yet. */
  committedRows(range: RowRange): Row[];
  /** Committed rows. */
  readonly count: number;
}

export interface RowRange {
  readonly from?: Buffer;
  readonly to?: Buffer;
  readonly limit: number;
}

export interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The smallest key behind `key`. */
export function keyBehind(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

/** The smallest key behind all that begin with `prefix` (which is not all 0xff). */
export function prefixEnd(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  let at = end.length - 1;
  while (at >= 0 && end[at] === 0xff) at--;
  end[at] = (end[at] as number) + 1;
  return end.subarray(0, at + 1);
}
