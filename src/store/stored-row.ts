/** What the database says of an object, a partial object or a block, beside its bytes. */
export interface StoredRow {
  /** Seen by peers. */
  readonly shared: boolean;
  /** Birth number, see `sequence.ts`. */
  readonly born: number;
  /** Content bytes. */
  readonly size: number;
  /** Bytes it takes here: compressed where that pays. */
  readonly storedSize: number;
}

const SHARED = 1;
const ROW_LENGTH = 25;

/** flags u8, born f64, size f64, storedSize f64, little-endian: numbers up to 2^53. */
export function encodeStoredRow(row: StoredRow): Buffer {
  const bytes = Buffer.allocUnsafe(ROW_LENGTH);
  bytes[0] = row.shared ? SHARED : 0;
  bytes.writeDoubleLE(row.born, 1);
  bytes.writeDoubleLE(row.size, 9);
  bytes.writeDoubleLE(row.storedSize, 17);
  return bytes;
}

export function decodeStoredRow(bytes: Buffer): StoredRow {
  return {
    shared: ((bytes[0] as number) & SHARED) !== 0,
    born: bytes.readDoubleLE(1),
    size: bytes.readDoubleLE(9),
    storedSize: bytes.readDoubleLE(17),
  };
}
