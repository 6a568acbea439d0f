const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const CANONICAL = ['d', 'h', 'm', 's', 'ms'] as const;
const PART = /(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/y;

/**
 * Milliseconds from `30s`, `5m`, `1h30m`, `250ms`, or `0`; a whole number.
 * @throws Error with what would be right
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  if (trimmed === '0') return 0;
  let total = 0;
  PART.lastIndex = 0;
  let end = 0;
  for (let part = PART.exec(trimmed); part !== null; part = PART.exec(trimmed)) {
    total += Number(part[1]) * (UNITS[part[2] as string] as number);
    end = PART.lastIndex;
  }
  if (end === 0 || end !== trimmed.length || !Number.isSafeInteger(total)) {
    throw new Error(`${JSON.stringify(text)} is not a duration: give e.g. 30s, 5m, 1h30m or 250ms`);
  }
  return total;
}

/** The largest unit that is exact: `90s`, `5m`, `250ms`, `0`. */
export function printDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  const unit = CANONICAL.find((name) => milliseconds % (UNITS[name] as number) === 0) ?? 'ms';
  return `${milliseconds / (UNITS[unit] as number)}${unit}`;
}
