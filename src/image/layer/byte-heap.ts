/** Bytes appended to each other; doubles when it is full. */
export interface ByteHeap {
  readonly length: number;
  append(bytes: Uint8Array): void;
  /** A view of all bytes so far; valid until the next append. */
  bytes(): Uint8Array;
}

export function createByteHeap(): ByteHeap {
  let buffer = new Uint8Array(4096);
  let length = 0;
  return {
    get length() {
      return length;
    },
    append(bytes) {
      if (length + bytes.length > buffer.length) {
        const grown = new Uint8Array(Math.max(buffer.length * 2, length + bytes.length));
        grown.set(buffer.subarray(0, length));
        buffer = grown;
      }
      buffer.set(bytes, length);
      length += bytes.length;
    },
    bytes: () => buffer.subarray(0, length),
  };
}
