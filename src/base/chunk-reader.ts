/** Reads exact counts of bytes out of chunks of any size, without copying what is passed on. */
export interface ChunkReader {
  /** Exactly `count` bytes (copied); fewer only at the end of the source, none when it had ended. */
  take(count: number): Promise<Buffer>;
  /** The next `count` bytes in views as they come; fewer only at the end of the source. */
  pass(count: number): AsyncGenerator<Uint8Array>;
}

export function createChunkReader(source: AsyncIterable<Uint8Array>): ChunkReader {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);

  async function fill(): Promise<boolean> {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done) return false;
      rest = next.value;
    }
    return true;
  }

  function cut(count: number): Uint8Array {
    const piece = rest.subarray(0, count);
    rest = rest.subarray(piece.length);
    return piece;
  }

  return {
    async take(count) {
      const taken = Buffer.allocUnsafe(count);
      let at = 0;
      while (at < count && (rest.length > 0 || (await fill()))) {
        const piece = cut(count - at);
        taken.set(piece, at);
        at += piece.length;
      }
      return taken.subarray(0, at);
    },
    async *pass(count) {
      let left = count;
      while (left > 0 && (rest.length > 0 || (await fill()))) {
        const piece = cut(left);
        left -= piece.length;
        yield piece;
      }
    },
  };
}
