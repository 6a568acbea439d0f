/** Joins small chunks into buffers of `size` bytes, each the receiver's own; chunks of that size or more pass as they are. */
export async function* coalesce(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let buffer: Buffer | undefined;
  let filled = 0;
  for await (const chunk of source) {
    if (buffer !== undefined && filled + chunk.length > size) {
      yield buffer.subarray(0, filled);
      buffer = undefined;
      filled = 0;
    }
    if (chunk.length >= size) {
      yield chunk;
      continue;
    }
    buffer ??= Buffer.allocUnsafe(size);
    buffer.set(chunk, filled);
    filled += chunk.length;
  }
  if (buffer !== undefined) yield buffer.subarray(0, filled);
}
