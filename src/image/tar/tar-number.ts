/**
 * Numbers of tar headers and PAX records with the rules of Go's archive/tar (strconv.go): what does not fit into an
 * int64 or is malformed is NaN; between 2^53 and 2^63 the nearest double is answered, which every caller refuses,
 * truncates by {@link readLow32} or replaces.
 */

const NUL = 0;
const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** Octal text padded with spaces or NULs at both ends; an empty field is 0. */
export function readOctal(block: Uint8Array, offset: number, length: number): number {
  let from = offset;
  let to = offset + length;
  while (from < to && (block[from] === NUL || block[from] === SPACE)) from++;
  while (to > from && (block[to - 1] === NUL || block[to - 1] === SPACE)) to--;
  let value = 0;
  for (let at = from; at < to; at++) {
    const byte = block[at] as number;
    if (byte === NUL) break;
    if (byte < 0x30 || byte > 0x37) return Number.NaN;
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

/** Octal, or with the top bit of the first byte set a big-endian two's complement number (GNU base-256). */
export function readNumeric(block: Uint8Array, offset: number, length: number): number {
  const first = block[offset] as number;
  if ((first & 0x80) === 0) return readOctal(block, offset, length);
  const inverted = (first & 0x40) === 0 ? 0 : 0xff;
  let value = 0;
  for (let at = offset; at < offset + length; at++) {
    let byte = (block[at] as number) ^ inverted;
    if (at === offset) byte &= 0x7f;
    const fromEnd = offset + length - at;
    if ((fromEnd > 8 && byte !== 0) || (fromEnd === 8 && byte > 0x7f)) return Number.NaN;
    value = value * 256 + byte;
  }
  return inverted === 0 ? value : -value - 1;
}

/**
 * The low 32 bits of the number, unsigned: what chown, mknod and chmod see of Go's int64.
 * NaN where {@link readNumeric} answers NaN.
 */
export function readLow32(block: Uint8Array, offset: number, length: number): number {
  const value = readNumeric(block, offset, length);
  if (Number.isNaN(value) || ((block[offset] as number) & 0x80) === 0) return value % 0x1_0000_0000;
  let low = 0;
  for (let at = offset + length - 4; at < offset + length; at++) low = low * 256 + (block[at] as number);
  return low;
}

const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;

/** Go's ParseInt(text, 10, 64). */
export function parseDecimal(text: string): number {
  return Number(parseInt64(text) ?? Number.NaN);
}

/** The low 32 bits of {@link parseDecimal}, unsigned. */
export function parseDecimalLow32(text: string): number {
  const value = parseInt64(text);
  if (value === undefined) return Number.NaN;
  if (typeof value === 'number' && value >= 0) return value % 0x1_0000_0000;
  return Number(BigInt.asUintN(32, BigInt(value)));
}

function parseInt64(text: string): number | bigint | undefined {
  const sign = text.charCodeAt(0);
  const from = sign === PLUS || sign === MINUS ? 1 : 0;
  let value = 0;
  for (let at = from; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    value = value * 10 + digit;
  }
  if (text.length === from) return undefined;
  if (value <= Number.MAX_SAFE_INTEGER) return sign === MINUS && value > 0 ? -value : value;
  if (!(value < 1e19)) return undefined;
  const exact = BigInt(text.slice(from));
  if (exact > (sign === MINUS ? MAX_INT64 + 1n : MAX_INT64)) return undefined;
  return sign === MINUS ? -exact : exact;
}

export interface TarTime {
  readonly seconds: number;
  /** 0..999,999,999. */
  readonly nanos: number;
}

/** Seconds with an optional fraction of any length, cut after nine digits; negative times count the fraction downwards. */
export function parsePaxTime(text: string): TarTime | undefined {
  const point = text.indexOf('.');
  const whole = point < 0 ? text : text.slice(0, point);
  const fraction = point < 0 ? '' : text.slice(point + 1);
  const seconds = parseDecimal(whole);
  const nanos = parseFraction(fraction);
  if (Number.isNaN(seconds) || nanos === undefined) return undefined;
  if (nanos === 0 || !whole.startsWith('-')) return tarTime(seconds, nanos);
  return tarTime(seconds - 1, 1_000_000_000 - nanos);
}

/**
 * Times that no double counts exactly become 0: both engines set the epoch for anything past what a kernel keeps
 * (moby `system.Chtimes`, containerd `boundTime`).
 */
export function tarTime(seconds: number, nanos: number): TarTime {
  return Number.isSafeInteger(seconds) ? { seconds: seconds + 0, nanos } : { seconds: 0, nanos: 0 };
}

function parseFraction(digits: string): number | undefined {
  let nanos = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = digits.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    if (at < 9) nanos = nanos * 10 + digit;
  }
  for (let at = digits.length; at < 9; at++) nanos *= 10;
  return nanos;
}
