/** Joins small chunks into buffers of `size` bytes, each the receiver's own; chunks of that size or more pass as they are. */
export async function* coalesce(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const chunk of source) {
    if (filled + chunk.length > size) {
      if (filled > 0) yield buffer.subarray(0, filled);
      filled = 0;
      if (chunk.length >= size) {
        yield chunk;
        continue;
      }
      buffer = Buffer.allocUnsafe(size);
    }
    buffer.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
