import { fileURLToPath } from 'node:url';
import type { SpawnSpec } from './keeper-messages.ts';

/**
 * V8 gives memory back sooner with a small young generation, and glibc with one arena: these processes live as long as
 * the machine and hold little. The mount server after a walk through ten images of 30,000 entries: 149 MB resident with a
 * young generation of 4 MB, 116 MB like this, at the same processor time a request (1.7 us of its own).
 */
const FLAGS: Readonly<Record<'keeper' | 'mount-server', readonly string[]>> = {
  keeper: ['--max-semi-space-size=1', '--max-old-space-size=64'],
  'mount-server': ['--max-semi-space-size=1', '--optimize-for-size'],
};

/** How a process of shp is started from what is installed: from source src/bin/<name>.ts, in the package dist/<name>.js. */
export function processEntry(name: 'keeper' | 'mount-server', args: readonly string[]): SpawnSpec {
  const fromSource = import.meta.url.endsWith('.ts');
  const entry = new URL(fromSource ? `../bin/${name}.ts` : `./${name}.js`, import.meta.url);
  return {
    command: process.execPath,
    args: [...FLAGS[name], fileURLToPath(entry), ...args],
    env: { ...(process.env as Record<string, string>), MALLOC_ARENA_MAX: '1' },
  };
}
