/** A stream whose first bytes were looked at; iterating `stream` gives all of it. */
export interface PeekedStream {
  /** Up to the asked count of bytes; fewer where the source is shorter. */
  readonly head: Buffer;
  readonly stream: AsyncIterable<Uint8Array>;
}

export async function peekStream(source: AsyncIterable<Uint8Array>, count: number): Promise<PeekedStream> {
  const chunks = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < count) {
    const next = await chunks.next();
    if (next.done) break;
    first.push(next.value);
    length += next.value.length;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      for (;;) {
        const next = await chunks.next();
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await chunks.return?.();
    }
  }
  return { head: Buffer.concat(first).subarray(0, count), stream: all() };
}
