// MurmurHash3 x64 128 with seed 0 (Austin Appleby, public domain), its first half only: what UnixFS calls
// murmur3-x64-64. A 64-bit number is two 32-bit halves in an Int32Array, low half first: BigInt takes 10 times as
// long, and a directory of 10,000 names is hashed on the push path.
type Words = Int32Array;

const C1_LOW = 0x114253d5;
const C1_HIGH = 0x87c37b91 | 0;
const C2_LOW = 0x2745937f;
const C2_HIGH = 0x4cf5ad43;

const H1 = 0;
const H2 = 2;
const K1 = 4;
const K2 = 6;

/** High 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) | 0;
}

function multiply(w: Words, at: number, low: number, high: number): void {
  const wLow = w[at] as number;
  const wHigh = w[at + 1] as number;
  w[at] = Math.imul(wLow, low);
  w[at + 1] = multiplyHigh(wLow, low) + Math.imul(wLow, high) + Math.imul(wHigh, low);
}

function addLow(w: Words, at: number, value: number): void {
  const sum = ((w[at] as number) >>> 0) + (value >>> 0);
  w[at] = sum;
  if (sum > 0xffffffff) w[at + 1] = (w[at + 1] as number) + 1;
}

function add(w: Words, at: number, other: number): void {
  addLow(w, at, w[other] as number);
  w[at + 1] = (w[at + 1] as number) + (w[other + 1] as number);
}

function xor(w: Words, at: number, other: number): void {
  w[at] = (w[at] as number) ^ (w[other] as number);
  w[at + 1] = (w[at + 1] as number) ^ (w[other + 1] as number);
}

/** @param bits 1..31, or 33..63 */
function rotateLeft(w: Words, at: number, bits: number): void {
  const swap = bits > 32;
  const low = w[swap ? at + 1 : at] as number;
  const high = w[swap ? at : at + 1] as number;
  const by = bits % 32;
  w[at] = (low << by) | (high >>> (32 - by));
  w[at + 1] = (high << by) | (low >>> (32 - by));
}

function xorShift33(w: Words, at: number): void {
  w[at] = (w[at] as number) ^ ((w[at + 1] as number) >>> 1);
}

function finalMix(w: Words, at: number): void {
  xorShift33(w, at);
  multiply(w, at, 0xed558ccd, 0xff51afd7);
  xorShift33(w, at);
  multiply(w, at, 0x1a85ec53, 0xc4ceb9fe);
  xorShift33(w, at);
}

function mixK1(w: Words): void {
  multiply(w, K1, C1_LOW, C1_HIGH);
  rotateLeft(w, K1, 31);
  multiply(w, K1, C2_LOW, C2_HIGH);
  xor(w, H1, K1);
}

function mixK2(w: Words): void {
  multiply(w, K2, C2_LOW, C2_HIGH);
  rotateLeft(w, K2, 33);
  multiply(w, K2, C1_LOW, C1_HIGH);
  xor(w, H2, K2);
}

function int32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** murmur3-x64-64 of the key as the 8 bytes in which a HAMT consumes it: byte `i` is the place at level `i`. */
export function murmur3x64(key: Uint8Array): Uint8Array {
  const w = new Int32Array(8);
  const tail = key.length % 16;
  const body = key.length - tail;
  for (let at = 0; at < body; at += 16) {
    w[K1] = int32(key, at);
    w[K1 + 1] = int32(key, at + 4);
    w[K2] = int32(key, at + 8);
    w[K2 + 1] = int32(key, at + 12);
    mixK1(w);
    rotateLeft(w, H1, 27);
    add(w, H1, H2);
    multiply(w, H1, 5, 0);
    addLow(w, H1, 0x52dce729);
    mixK2(w);
    rotateLeft(w, H2, 31);
    add(w, H2, H1);
    multiply(w, H2, 5, 0);
    addLow(w, H2, 0x38495ab5);
  }
  if (tail > 0) {
    w[K1] = 0;
    w[K1 + 1] = 0;
    w[K2] = 0;
    w[K2 + 1] = 0;
    for (let i = 0; i < tail; i++) {
      const word = K1 + (i >> 2);
      w[word] = (w[word] as number) | ((key[body + i] as number) << ((i & 3) * 8));
    }
    if (tail > 8) mixK2(w);
    mixK1(w);
  }
  w[H1] = (w[H1] as number) ^ key.length;
  w[H2] = (w[H2] as number) ^ key.length;
  add(w, H1, H2);
  add(w, H2, H1);
  finalMix(w, H1);
  finalMix(w, H2);
  add(w, H1, H2);
  const hash = new Uint8Array(8);
  for (let i = 0; i < 4; i++) {
    hash[i] = (w[H1 + 1] as number) >>> (24 - 8 * i);
    hash[4 + i] = (w[H1] as number) >>> (24 - 8 * i);
  }
  return hash;
}
