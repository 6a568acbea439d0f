import { type ExecFileSyncOptions, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tarStream from 'tar-stream';
import { requirement } from '../../support/requirement.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { type RecordedEntry, readTar } from './recording-sink.ts';
import { IS_ROOT, makeTree, RAW_NAME, type TreeFeatures, treeFact } from './tar-tree.ts';

const MANY = { maxBuffer: 256 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } };

/** bsdtar complains about names that are no UTF-8, and writes them all the same. */
const QUIET: ExecFileSyncOptions & { encoding?: undefined } = {
  ...MANY,
  stdio: ['ignore', 'pipe', 'ignore'],
};

function has(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0;
}

/** Every entry says what the system says of its path; hard links name an entry before them that is the same file. */
function expectTree(entries: readonly RecordedEntry[], root: string, nanos: boolean): void {
  const names = new Set<string>();
  for (const entry of entries) {
    const name = entry.name.replace(/^\.\//, '').replace(/\/$/, '');
    const fact = treeFact(root, name);
    names.add(name);
    if (entry.type === 'hardlink') {
      const target = Buffer.from(entry.linkPath).toString('latin1').replace(/^\.\//, '');
      expect(names).toContain(target);
      expect(treeFact(root, target).inode).toBe(fact.inode);
      expect(entry.size).toBe(0);
      continue;
    }
    expect({
      name,
      kind: entry.type,
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      mtime: entry.mtime,
      mtimeNanos: entry.mtimeNanos,
      device: [entry.devMajor, entry.devMinor],
      target: Buffer.from(entry.linkPath).toString('latin1'),
      size: entry.size,
    }).toEqual({
      name,
      kind: fact.kind,
      mode: fact.mode,
      uid: fact.uid,
      gid: fact.gid,
      mtime: fact.mtime,
      mtimeNanos: nanos ? fact.mtimeNanos : 0,
      device: [...fact.device],
      target: fact.target,
      size: fact.file.length,
    });
    expect(entry.file.equals(fact.file)).toBe(true);
  }
  expect(names).toContain(RAW_NAME);
  expect(names).toContain('dir/f70000');
}

describe('what GNU tar writes', () => {
  const present = requirement('GNU tar corpus', has('tar', '--version'), 'no GNU tar');
  const all: TreeFeatures = { large: true, ancient: true, special: true, sparse: true };
  const formats: readonly [format: string, features: TreeFeatures, nanos: boolean][] = [
    ['v7', {}, false],
    ['ustar', { special: true }, false],
    ['oldgnu', all, false],
    ['gnu', all, false],
    ['posix', all, true],
  ];

  if (present) {
    it.each(formats)('%s: every entry equals the file it was made of', (format, features, nanos) => {
      using folder = tempFolder('tar-tree');
      makeTree(folder.path, features);
      const tar = execFileSync('tar', [`--format=${format}`, '-C', folder.path, '-cf', '-', '.'], MANY);
      expectTree(readTar(tar).entries, folder.path, nanos);
    });

    it.each([
      ['--format=oldgnu', '--sparse'],
      ['--format=gnu', '--sparse'],
      ['--format=posix', '--sparse-version=0.0'],
      ['--format=posix', '--sparse-version=0.1'],
      ['--format=posix', '--sparse-version=1.0'],
    ])('%s %s: sparse files come with their fragments', (...options) => {
      using folder = tempFolder('tar-sparse');
      makeTree(folder.path, { sparse: true, large: true });
      const args = [...options, '--sparse', '-C', folder.path, '-cf', '-', '.'];
      const tar = execFileSync('tar', args, MANY);
      const { entries } = readTar(tar, { chunks: [1000, 3, 77_777] });
      expectTree(entries, folder.path, options[0] === '--format=posix');
      const many = entries.find(({ name }) => name === './sparse-many');
      expect(many?.sparse?.length).toBeGreaterThanOrEqual(60);
      expect(many?.storedSize).toBeLessThan((many?.size ?? 0) / 4);
    });

    it('takes an archive to which another was appended up to the first end marker', () => {
      using folder = tempFolder('tar-append');
      makeTree(folder.path);
      const tar = execFileSync('tar', ['-C', folder.path, '-cf', '-', 'setuid'], MANY);
      const { entries, literalBytes } = readTar(Buffer.concat([tar, tar]));
      expect(entries.map(({ name }) => name)).toEqual(['setuid']);
      expect(literalBytes).toBe(2 * tar.length - 1);
    });
  }
});

describe('extended attributes that GNU tar writes', () => {
  const python = 'import os,sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))';
  const setXattr = (file: string, name: string, value: Buffer) =>
    has('setfattr', '-n', name, '-v', `0x${value.toString('hex')}`, file) ||
    has('python3', '-c', python, file, name, value.toString('hex'));

  it('are read byte for byte, with NUL and newline in the value', () => {
    using folder = tempFolder('tar-xattr');
    const file = join(folder.path, 'f');
    writeFileSync(file, 'x');
    const value = Buffer.from('a\0b\n12 c=d\n', 'latin1');
    const can = setXattr(file, 'user.shp', value) && has('tar', '--xattrs', '-cf', '/dev/null', file);
    if (!requirement('extended attributes', can, 'no setfattr or python3, or the file system has no user.*'))
      return;
    const args = ['--format=posix', '--xattrs', '--xattrs-include=*', '-C', folder.path, '-cf', '-', 'f'];
    const [entry] = readTar(execFileSync('tar', args, MANY)).entries;
    const read = entry?.xattrs.map((x) => [Buffer.from(x.name).toString(), Buffer.from(x.value)]);
    expect(read).toContainEqual(['user.shp', value]);
  });
});

describe('what other tools write', () => {
  it.each([
    ['pax', true],
    ['ustar', false],
    ['gnutar', false],
  ] as const)('bsdtar %s: every entry equals the file it was made of', (format, nanos) => {
    if (!requirement('bsdtar corpus', has('bsdtar', '--version'), 'no bsdtar (libarchive-tools)')) return;
    // No time before 1970: libarchive 3.6 writes its fraction with the wrong sign, and 0 in GNU headers.
    using folder = tempFolder('bsdtar');
    makeTree(folder.path, format === 'ustar' ? {} : { large: true, special: true, sparse: format === 'pax' });
    const tar = execFileSync('bsdtar', [`--format=${format}`, '-C', folder.path, '-cf', '-', '.'], QUIET);
    expectTree(readTar(tar).entries, folder.path, nanos);
  });

  it("Python's tarfile: GNU and PAX give the same entries", () => {
    if (!requirement('tarfile corpus', has('python3', '--version'), 'no python3')) return;
    using folder = tempFolder('tarfile');
    mkdirSync(join(folder.path, 'in'));
    makeTree(join(folder.path, 'in'), { large: true, ancient: true });
    const script =
      'import tarfile,sys\nt=tarfile.open(sys.argv[2],"w",format=getattr(tarfile,sys.argv[3]))\nt.add(sys.argv[1],".")\nt.close()';
    for (const format of ['GNU_FORMAT', 'PAX_FORMAT']) {
      const out = join(folder.path, 'out.tar');
      execFileSync('python3', ['-c', script, join(folder.path, 'in'), out, format]);
      const { entries } = readTar(execFileSync('cat', [out], MANY));
      const names = entries.map(({ name }) => name.replace(/^\.\//, ''));
      expect(names).toContain(`${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}/${'n'.repeat(200)}`);
      expect(entries.find(({ name }) => name === './old')).toMatchObject({
        mtime: expect.closeTo(-315_619_200, -1),
      });
      if (IS_ROOT) {
        expect(entries.find(({ name }) => name === './big-ids')).toMatchObject({ uid: 4e9, gid: 3e6 });
      }
    }
  });

  it('tar-stream: long names, links and PAX records', async () => {
    const pack = tarStream.pack();
    pack.entry({ name: `${'long/'.repeat(40)}file`, mtime: new Date(1.5e12), mode: 0o640 }, 'content');
    pack.entry({ name: 'link', type: 'symlink', linkname: 'x'.repeat(120) });
    pack.entry({ name: 'dir', type: 'directory', pax: { 'SCHILY.xattr.user.a': 'b' } });
    pack.finalize();
    const parts: Buffer[] = [];
    for await (const part of pack) parts.push(part as Buffer);
    const { entries } = readTar(Buffer.concat(parts));
    expect(entries.map(({ type, name }) => [type, name])).toEqual([
      ['file', `${'long/'.repeat(40)}file`],
      ['symlink', 'link'],
      ['directory', 'dir'],
    ]);
    expect(entries[0]).toMatchObject({ mode: 0o640, mtime: 1.5e9, file: Buffer.from('content') });
    expect(Buffer.from(entries[1]?.linkPath ?? []).toString()).toBe('x'.repeat(120));
    expect(entries[2]?.xattrs).toEqual([{ name: Buffer.from('user.a'), value: Buffer.from('b') }]);
  });
});
