import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * Says whether a test can run here. Where it cannot: with CI=true that is a failure, else a line
 * `SKIPPED: <name>: <why>` on stderr, and in the file SHP_SKIPPED_FILE that scripts/test reads for its closing lines.
 * @throws Error with CI=true when `present` is false
 */
export function requirement(name: string, present: boolean, why: string): boolean {
  if (present) return true;
  if (process.env['CI'] === 'true') throw new Error(`${name} cannot run: ${why}`);
  const line = `SKIPPED: ${name}: ${why}\n`;
  process.stderr.write(line);
  const path = process.env['SHP_SKIPPED_FILE'];
  if (path !== undefined) {
    const log = openSync(path, 'a');
    writeSync(log, line);
    closeSync(log);
  }
  return false;
}
