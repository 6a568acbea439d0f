const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
/** Largest first: the first one that divides a size is its canonical unit. Binary ones before decimal ones. */
const CANONICAL = ['TiB', 'GiB', 'MiB', 'KiB', 'TB', 'GB', 'MB', 'kB'] as const;
const SIZE = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/;

/**
 * Bytes from `64MiB`, `20MB`, `1.5 GiB` or a plain number; a whole number of bytes from 0 to 2^53 - 1.
 * @throws Error with what would be right
 */
export function parseSize(text: string): number {
  const match = SIZE.exec(text.trim());
  const scale = match === null ? undefined : UNITS[match[2] as string];
  const bytes = match === null || scale === undefined ? Number.NaN : Number(match[1]) * scale;
  if (!Number.isSafeInteger(bytes)) {
    throw new Error(`${JSON.stringify(text)} is not a size: give bytes, e.g. 64MiB or 20MB`);
  }
  return bytes;
}

/** The shortest exact form: `64MiB`, `20MB`, `1500`. */
export function printSize(bytes: number): string {
  if (bytes === 0) return '0';
  for (const unit of CANONICAL) {
    const scale = UNITS[unit] as number;
    if (bytes % scale === 0) return `${bytes / scale}${unit}`;
  }
  return String(bytes);
}
