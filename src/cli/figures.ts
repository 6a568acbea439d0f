const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes for people, three digits: `999 B`, `12.3 MB`. Decimal, as `docker images` shows sizes. */
export function figureSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < SIZES.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(value >= 9.995 ? 1 : 2)} ${SIZES[unit]}`;
}

/** Seconds for people: `4 s`, `3m12s`, `2h05m`. */
export function figureSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 100) return `${whole} s`;
  if (whole < 6000) return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, '0')}s`;
  return `${Math.floor(whole / 3600)}h${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}m`;
}

/** How long ago, for tables: `5 s`, `3 min`, `2 h`, `4 d`. */
export function figureAge(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `1 peer`, `2 peers`. */
export function figureCount(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
