import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Replaces a small JSON file as a whole, so that a kill at any moment leaves the old or the new one. Not synced: what it
 * describes ends with the machine's run.
 */
export function writeState(path: string, value: unknown): void {
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

/** `undefined` where there is none. @throws SyntaxError where it is no JSON */
export function readState(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text);
}
