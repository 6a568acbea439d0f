/**
 * Runs of bits that are set in `now` and were not in `before`: start and length of each, ascending, flat. Both are
 * bitmaps of the same length, bit i in byte i / 8. `undefined` when there are more than `maxRuns`, or a set bit went.
 */
export function addedRuns(before: Uint8Array, now: Uint8Array, maxRuns: number): number[] | undefined {
  const runs: number[] = [];
  let start = -1;
  for (let byte = 0; byte < now.length; byte++) {
    const was = before[byte]!;
    const is = now[byte]!;
    if ((was & ~is) !== 0) return undefined;
    const added = is & ~was;
    if (added === 0 && start < 0) continue;
    if (added === 0xff && start >= 0) continue;
    for (let bit = 0; bit < 8; bit++) {
      const set = (added >> bit) & 1;
      const at = byte * 8 + bit;
      if (set === 1 && start < 0) start = at;
      if (set === 0 && start >= 0) {
        runs.push(start, at - start);
        start = -1;
        if (runs.length > maxRuns * 2) return undefined;
      }
    }
  }
  if (start >= 0) runs.push(start, now.length * 8 - start);
  return runs.length > maxRuns * 2 ? undefined : runs;
}

/** Sets the bits of `runs` (flat, as {@link addedRuns} answers); bits beyond the bitmap are left out. */
export function setRuns(bitmap: Uint8Array, runs: readonly number[]): void {
  const bits = bitmap.length * 8;
  for (let i = 0; i < runs.length; i += 2) {
    const start = runs[i]!;
    const end = Math.min(bits, start + runs[i + 1]!);
    for (let at = start; at < end; at++) {
      if ((at & 7) === 0 && end - at >= 8) {
        bitmap[at >> 3] = 0xff;
        at += 7;
      } else {
        bitmap[at >> 3]! |= 1 << (at & 7);
      }
    }
  }
}

export function hasBit(bitmap: Uint8Array, index: number): boolean {
  return ((bitmap[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

export function setBit(bitmap: Uint8Array, index: number): void {
  bitmap[index >> 3]! |= 1 << (index & 7);
}
