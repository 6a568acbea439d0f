import { directory, file, hardlink, layerTar, opaque, symlink, whiteout } from '../support/layer-tar.ts';
import { gnuLong, padded, paxHeader, rawEntry, rawHeader, rawTar } from '../support/raw-tar.ts';
import type { CorpusCase } from './corpus-case.ts';

const HOUR = 3600;

/** What no program writes on purpose, and engines take. */
export const HANDMADE_CORPUS: readonly CorpusCase[] = [
  {
    name: 'the last of duplicates wins, whatever it replaces',
    containerdOnly: true,
    layers: [
      layerTar([
        file('a', 'first', { mode: 0o600 }),
        file('a', 'second', { mode: 0o644, uid: 7 }),
        file('b', 'file'),
        directory('b', { mode: 0o700 }),
        file('b/inside', 'x'),
        directory('c'),
        symlink('c', 'a'),
        symlink('d', 'nowhere'),
        file('d', 'content'),
        directory('e', { mode: 0o700 }),
        file('e/kept', 'kept'),
        directory('e', { mode: 0o755, uid: 5, mtime: HOUR }),
      ]),
    ],
  },
  {
    name: 'a duplicate breaks away from its hard links',
    containerdOnly: true,
    layers: [
      layerTar([
        file('one', 'shared'),
        hardlink('two', 'one'),
        hardlink('three', './two'),
        file('one', 'alone'),
        file('target', 'x'),
        hardlink('link-of-absolute', '/target'),
      ]),
    ],
  },
  {
    name: 'hard links to what is no file',
    layers: [
      layerTar([
        symlink('sym', 'target'),
        hardlink('sym2', 'sym'),
        { path: 'pipe', type: 'fifo', mode: 0o620 },
        hardlink('pipe2', 'pipe'),
        { path: 'dev', type: 'chardev', devMajor: 1, devMinor: 3, mode: 0o666 },
        hardlink('dev2', 'dev'),
      ]),
    ],
  },
  {
    name: 'names are cleaned',
    layers: [
      layerTar([
        directory('./'),
        directory('./dot'),
        file('/absolute', 'a'),
        file('dot/../up', 'b'),
        file('dot//double///slash', 'c'),
        file('./dot/./here', 'd'),
      ]),
    ],
  },
  {
    name: 'the root itself has attributes',
    layers: [layerTar([directory('./', { mode: 0o711, uid: 3, gid: 4, mtime: HOUR }), file('x', 'x')])],
  },
  {
    name: 'directories that are only implied',
    layers: [
      layerTar([
        file('usr/share/doc/readme', 'x'),
        directory('usr', { mode: 0o700 }),
        symlink('opt/a/b', 'c'),
      ]),
    ],
  },
  {
    name: 'entries below a symlink of their own layer',
    layers: [
      layerTar([
        directory('usr'),
        directory('usr/lib', { mode: 0o711 }),
        symlink('lib', 'usr/lib'),
        file('lib/libc.so', 'elf'),
        symlink('absolute', '/usr'),
        file('absolute/bin', 'x'),
      ]),
    ],
  },
  {
    name: 'whiteouts and opaque directories over other layers',
    layers: [
      layerTar([
        directory('keep'),
        file('keep/a', 'a'),
        file('keep/b', 'b'),
        directory('hidden'),
        file('hidden/old', 'old'),
        directory('gone'),
        file('gone/x', 'x'),
        file('file', 'file'),
        directory('becomes-file'),
        file('becomes-file/x', 'x'),
        file('becomes-directory', 'x'),
      ]),
      layerTar([
        whiteout('keep/a'),
        directory('hidden', { mode: 0o700 }),
        opaque('hidden'),
        file('hidden/new', 'new'),
        whiteout('gone'),
        file('becomes-file', 'now a file'),
        directory('becomes-directory'),
        file('becomes-directory/y', 'y'),
      ]),
      layerTar([file('gone/again', 'again'), file('keep/a', 'back'), whiteout('never-was-there')]),
    ],
  },
  {
    name: 'an implied directory over a described one takes its attributes from below',
    layers: [
      layerTar([directory('srv', { mode: 0o750, uid: 10, gid: 11, mtime: HOUR }), file('srv/a', 'a')]),
      layerTar([directory('srv', { mode: 0o750, uid: 10, gid: 11, mtime: HOUR }), file('srv/b', 'b')]),
    ],
  },
  {
    name: 'a directory replaces a symlink of a lower layer',
    layers: [
      layerTar([directory('data'), file('data/x', 'x'), symlink('link', 'data')]),
      layerTar([directory('link', { mode: 0o700 }), file('link/y', 'y')]),
    ],
  },
  {
    name: 'numbers that do not fit octal fields',
    layers: [
      rawTar(
        rawEntry(
          { name: 'base256', uid: 4_000_000_000, gid: 3_000_000_000, format: 'gnu', mtime: HOUR },
          'x',
        ),
        rawEntry({ name: 'before-1970', mtime: -HOUR, format: 'gnu' }, 'x'),
        paxHeader({ uid: '3000000', gid: '3000001', mtime: '1234567890.123456789' }),
        rawEntry({ name: 'pax' }, 'x'),
        paxHeader({ mtime: '-1.5' }),
        rawEntry({ name: 'pax-before-1970' }, 'x'),
      ),
    ],
  },
  {
    name: 'PAX and GNU records',
    layers: [
      rawTar(
        paxHeader({ comment: 'for all' }, 'g'),
        paxHeader({ path: 'renamed/by/pax' }),
        rawEntry({ name: 'short', mtime: HOUR }, 'x'),
        paxHeader({ path: 'link', linkpath: 'renamed/by/pax' }),
        rawHeader({ name: 'short', typeflag: '2', linkname: 'wrong', mtime: HOUR }),
        paxHeader({ size: '5', path: 'sized-by-pax' }),
        rawHeader({ name: 'short', size: 0, mtime: HOUR }),
        padded('12345'),
        gnuLong('L', `gnu/${'l'.repeat(150)}`),
        rawEntry({ name: 'cut', format: 'gnu', mtime: HOUR }, 'x'),
        gnuLong('K', 't'.repeat(160)),
        rawHeader({ name: 'gnu-link', typeflag: '2', linkname: 'cut', format: 'gnu', mtime: HOUR }),
        rawEntry({ name: 'in-prefix', prefix: 'some/prefix', mtime: HOUR }, 'x'),
        rawEntry({ name: 'old-style', typeflag: '\0', format: 'v7', mtime: HOUR }, 'x'),
        rawHeader({ name: 'old-directory/', typeflag: '\0', format: 'v7', mode: 0o755, mtime: HOUR }),
      ),
    ],
  },
  {
    name: 'extended attributes of any bytes',
    layers: [
      layerTar([
        file('a', 'a', { xattrs: { 'user.binary': Buffer.from([0, 1, 10, 61, 255]) } }),
        directory('d', { xattrs: { 'user.on-directory': 'yes' } }),
        file('cap', 'x', {
          mode: 0o755,
          xattrs: { 'security.capability': Buffer.from('0100000200200000000000000000000000000000', 'hex') },
        }),
      ]),
    ],
  },
  {
    name: 'extended attributes without a value',
    containerdOnly: true,
    layers: [layerTar([file('a', 'a', { xattrs: { 'user.empty': '' } })])],
  },
  {
    name: 'names that are not text',
    layers: [
      layerTar([
        file(Buffer.from([0x66, 0xff, 0xfe, 0x80]), 'x'),
        file('new\nline', 'x'),
        file('percent%20', 'x'),
        file(`${'d'.repeat(200)}/${'e'.repeat(255)}`, 'x'),
        symlink('to-bytes', Buffer.from([0xff, 0x2f, 0xc0])),
        file('.wh', 'a name that is nearly a whiteout'),
      ]),
    ],
  },
  {
    name: 'bytes behind the end marker',
    layers: [Buffer.concat([layerTar([file('a', 'a')]), layerTar([file('not-there', 'x')])])],
  },
];
