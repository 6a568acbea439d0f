const HIGH = 2 ** 32;

/** Writes an integer of less than 2^53 in 64 bits, negative ones in two's complement, without a BigInt. */
export function putInteger(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / HIGH) >>> 0, true);
}

/** A device number as the kernel packs it in 32 bits (new_encode_dev of linux/kdev_t.h). */
export function packDevice(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}
