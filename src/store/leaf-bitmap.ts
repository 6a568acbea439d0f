/** Bytes that hold one bit for each of `leaves`. */
export function bitmapLength(leaves: number): number {
  return Math.ceil(leaves / 8);
}

/** Leaf 0 is bit 0 of byte 0. */
export function hasBit(bitmap: Uint8Array, leaf: number): boolean {
  return (((bitmap[leaf >> 3] as number) >> (leaf & 7)) & 1) === 1;
}

export function setBit(bitmap: Uint8Array, leaf: number): void {
  bitmap[leaf >> 3] = (bitmap[leaf >> 3] as number) | (1 << (leaf & 7));
}

export function clearBit(bitmap: Uint8Array, leaf: number): void {
  bitmap[leaf >> 3] = (bitmap[leaf >> 3] as number) & ~(1 << (leaf & 7));
}

/** Set bits among the first `leaves`. */
export function countBits(bitmap: Uint8Array, leaves: number): number {
  let count = 0;
  for (let leaf = 0; leaf < leaves; leaf++) if (hasBit(bitmap, leaf)) count++;
  return count;
}
