import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rawEntry, rawTar } from '../support/raw-tar.ts';
import type { CorpusCase } from './corpus-case.ts';

const HOUR = 3600;

/** A tree with one of everything that a tar program can meet. */
function makeSource(folder: string): void {
  mkdirSync(folder);
  execFileSync('sh', ['-c', SOURCE_SCRIPT], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

const SOURCE_SCRIPT = `
set -eu
umask 022
mkdir -p etc/deep/er usr/bin empty sticky
chmod 1777 sticky; chmod 2755 etc/deep
printf 'root\\n' >etc/passwd; chmod 640 etc/passwd; chown 12:34 etc/passwd
printf 'suid' >usr/bin/su; chmod 4755 usr/bin/su
ln -s ../../etc/passwd usr/bin/link; ln -s /nowhere/at/all dangling
ln etc/passwd etc/deep/same; : >nothing
mkfifo pipe; mknod console c 5 1; mknod disk b 8 17
long=$(printf 'n%.0s' $(seq 180)); printf 'long' >"etc/$long"; ln -s "$long" etc/long-link
head -c 600000 /dev/zero | tr '\\0' 'x' >two-chunks
truncate -s 3M holes; printf 'middle' | dd of=holes bs=1 seek=1500000 conv=notrunc status=none
printf 'end' | dd of=holes bs=1 seek=3145725 conv=notrunc status=none
truncate -s 1M all-hole
printf 'cap' >usr/bin/ping
setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 usr/bin/ping
setfattr -n user.note -v 'a note' etc/passwd
setfattr -n user.binary -v 0x00ff0a3d usr/bin/su
find . -depth -exec touch -h -d '2021-03-04 05:06:07.123456789 UTC' {} +
`;

/** Old formats cannot hold all of it: what they refuse is left out of the tree first. */
const V7_LOSES = 'rm -f etc/n* etc/long-link console disk pipe';
const USTAR_LOSES = 'rm -f etc/n* etc/long-link';

const ALL_XATTRS = "--xattrs --xattrs-include='*'";
const GNU_TAR: readonly (readonly [name: string, options: string, before?: string])[] = [
  ['GNU tar, gnu', '--format=gnu'],
  ['GNU tar, oldgnu', '--format=oldgnu'],
  ['GNU tar, pax with attributes', `--format=pax ${ALL_XATTRS}`],
  ['GNU tar, ustar', '--format=ustar', USTAR_LOSES],
  ['GNU tar, v7', '--format=v7', V7_LOSES],
  ['GNU tar, pax sparse 0.0', '--format=pax --sparse --sparse-version=0.0'],
  ['GNU tar, pax sparse 0.1', '--format=pax --sparse --sparse-version=0.1'],
  ['GNU tar, pax sparse 1.0', '--format=pax --sparse --sparse-version=1.0'],
];

const BSDTAR: readonly (readonly [name: string, options: string, before?: string])[] = [
  ['bsdtar, pax', '--format pax --no-acls --no-fflags'],
  ['bsdtar, restricted pax', '--format paxr --no-acls --no-fflags'],
  ['bsdtar, gnutar', '--format gnutar'],
  ['bsdtar, ustar', '--format ustar', USTAR_LOSES],
];

/** Tars that real programs write of one tree. */
export function programCorpus(folder: string): CorpusCase[] {
  const target = join(folder, 'layer.tar');
  const source = join(folder, 'source');
  const write = (program: string, options: string, before = 'true') => {
    rmSync(source, { recursive: true, force: true });
    makeSource(source);
    const command = `cd ${source} && ${before} && ${program} ${options} -cf ${target} .`;
    execFileSync('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });
    return readFileSync(target);
  };
  return [
    ...GNU_TAR.map(([name, options, before]) => ({ name, layers: [write('tar', options, before)] })),
    ...BSDTAR.map(([name, options, before]) => ({ name, layers: [write('bsdtar', options, before)] })),
  ];
}

/** GNU's own extension of a sparse header: four fragments in the block, a flag, the real size (tar.h, oldgnu_header). */
function oldSparse(
  name: string,
  fragments: readonly (readonly [offset: number, bytes: string])[],
  size: number,
): Buffer {
  const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
  const stored = fragments.map(([, bytes]) => bytes).join('');
  const patch: Record<number, string> = { 483: octal(size) };
  fragments.forEach(([offset, bytes], at) => {
    patch[386 + at * 24] = octal(offset) + octal(bytes.length);
  });
  return rawEntry({ name, typeflag: 'S', format: 'gnu', mtime: HOUR, patch }, stored);
}

/** Go's archive/tar reads these types, and no engine unpacks them: GNU tar is the judge. */
export function gnuTarCorpus(folder: string): CorpusCase[] {
  const source = join(folder, 'source');
  rmSync(source, { recursive: true, force: true });
  makeSource(source);
  const options = ['--format=gnu', '--sparse', '-C', source, '-cf', '-', '.'];
  return [
    { name: 'GNU tar, gnu sparse', layers: [execFileSync('tar', options, { maxBuffer: 1 << 26 })] },
    {
      name: 'sparse files of the old GNU form',
      layers: [
        rawTar(
          // GNU tar wants each fragment at a block of its own, so only the last may end within one.
          oldSparse(
            'holes',
            [
              [0, 'b'.repeat(512)],
              [100_352, 'm'.repeat(1024)],
              [299_520, 'e'.repeat(480)],
            ],
            300_000,
          ),
          oldSparse(
            'ends-in-a-hole',
            [
              [512, 'x'.repeat(512)],
              [700_000, ''],
            ],
            700_000,
          ),
        ),
      ],
    },
    {
      name: 'contiguous files',
      layers: [rawTar(rawEntry({ name: 'contiguous', typeflag: '7', mtime: HOUR }, 'x'))],
    },
  ];
}
