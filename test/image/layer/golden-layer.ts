import { readFileSync } from 'node:fs';
import { directory, file, hardlink, type Member, symlink } from './tar-entries.ts';

/** A layer with every kind of entry, flag and attribute: what test/golden/layer was made of. */
export const GOLDEN_MEMBERS: readonly Member[] = [
  directory('./', { mode: 0o755, mtime: 1_700_000_000 }),
  directory('etc', { mtime: -1 }),
  file('etc/hosts', '127.0.0.1 localhost\n', { mtime: 1_700_000_001, uid: 0xffffffff, gid: 1000 }),
  file('usr/bin/ping', 'ELF', {
    mode: 0o4755,
    xattrs: { 'user.note': 'a b', 'security.capability': '\u0001\u0000' },
  }),
  hardlink('usr/bin/ping6', 'usr/bin/ping', {
    mode: 0o4755,
    xattrs: { 'security.capability': '\u0001\u0000' },
  }),
  hardlink('usr/bin/sh', '/bin/dash', { mode: 0o755 }),
  symlink('bin', 'usr/bin'),
  { type: 'chardev', path: 'dev/null', mode: 0o666, device: [1, 3] },
  { type: 'blockdev', path: 'dev/sda', mode: 0o660, gid: 6, device: [8, 0] },
  { type: 'fifo', path: 'run/pipe', mode: 0o600 },
  file('srv/.wh.gone', ''),
  file('var/cache/.wh..wh..opq', ''),
  directory('opt'),
  file('.wh.opt', ''),
  file('big', 'x'.repeat(600_000)),
  file('empty', ''),
  file('100% é: \u0007', 'ELF'),
];

export const goldenFile = (name: string): string =>
  new URL(`../../golden/layer/${name}`, import.meta.url).pathname;
export const readGolden = (name: string): Buffer => readFileSync(goldenFile(name));
