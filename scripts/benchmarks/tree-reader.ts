import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../image/command.ts';

/** What one run of the reader did. */
export interface TreeReading {
  readonly operations: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Seconds of the longest operation. */
  readonly longest: number;
}

export type ReadingMode = 'lstat' | 'open' | 'sequential' | 'random' | 'latency';

/** Looks at the files of a list below any root; tree-reader.c says how. */
export interface TreeReader {
  read(root: string, mode: ReadingMode, list: string, count?: number): Promise<TreeReading>;
  /** Paths from the root into a file that `read` takes. */
  list(name: string, paths: readonly string[]): string;
}

/** @param folder for the program and the lists */
export async function makeTreeReader(folder: string): Promise<TreeReader> {
  const program = join(folder, 'tree-reader');
  const source = new URL('./tree-reader.c', import.meta.url).pathname;
  await run('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  return {
    read: async (root, mode, list, count = 0) => {
      const text = await run(program, [mode, list, String(count)], { cwd: root });
      const [operations = 0, bytes = 0, seconds = 0, longest = 0] = text.trim().split(' ').map(Number);
      return { operations, bytes, seconds, longest };
    },
    list: (name, paths) => {
      const file = join(folder, `${name}.list`);
      writeFileSync(file, paths.map((path) => `${path}\0`).join(''));
      return file;
    },
  };
}
