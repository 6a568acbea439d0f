import { writeFileSync } from 'node:fs';
import { run } from '../image/command.ts';
import { settle } from './machine.ts';

/** What was cached of files, names and inodes goes; writes first, so that all of it can. */
export async function dropCaches(): Promise<void> {
  await settle();
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

/** Seconds of find(1) over a tree. */
export function findTree(root: string): Promise<number> {
  return seconds('find . | wc -l', root);
}

/** Seconds of tar(1) reading a tree. tar knows /dev/null and would read nothing, hence the pipe. */
export function tarTree(root: string): Promise<number> {
  return seconds('tar -cf - . | cat > /dev/null', root);
}

async function seconds(command: string, cwd: string): Promise<number> {
  const start = performance.now();
  await run('sh', ['-c', command], { cwd });
  return (performance.now() - start) / 1000;
}
