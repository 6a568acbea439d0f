import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CID } from 'multiformats/cid';
import { readLayerRoot } from '../../src/image/dag/image-roots.ts';
import type { ChainRecord } from '../../src/layerfs/chain-messages.ts';
import type { MissingContent } from '../../src/layerfs/missing-content.ts';
import type { ImageRecord } from '../../src/store/image-records.ts';
import { storeLayout } from '../../src/store/store-layout.ts';
import { programCorpus } from '../engines/program-corpus.ts';
import { describeFolder } from '../engines/tree-description.ts';
import { canMount } from '../fuse/mounted-memory.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { buildImage, dockerArchive, writeOciLayout } from '../support/image-archive.ts';
import { directory, file, hardlink, layerTar, opaque, symlink, whiteout } from '../support/layer-tar.ts';
import { requirement } from '../support/requirement.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { suiteStation } from '../transfer/support/suite-stations.ts';
import { type MountedLayers, mountLayers } from './mounted-layers.ts';
import { chainRecord } from './served-layers.ts';

const run = promisify(execFile);
const installed = (program: string) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const NAME = 'layers behind a mount';
const canRun =
  requirement(NAME, canMount(), 'needs root and FUSE') &&
  requirement(NAME, installed('umoci') && installed('rsync'), 'needs umoci and rsync');

const LEAF = 262_144;
const BIG = bytesOf(7, 6_000_000);
const UPPER = [
  directory('etc', { mode: 0o750, uid: 5 }),
  file('etc/passwd', 'changed\n', { mode: 0o600, xattrs: { 'user.note': 'new' } }),
  hardlink('usr/bin/su-again', 'usr/bin/su'),
  directory('usr/bin'),
  whiteout('dangling'),
  whiteout('sticky'),
  directory('etc/deep'),
  opaque('etc/deep'),
  file('etc/deep/new', 'new'),
  file('big', BIG, { mode: 0o755 }),
  hardlink('big-again', 'big', { mode: 0o755 }),
  symlink('pipe', 'big'),
  file(Buffer.from('odd-\xff\xfe', 'latin1'), 'not utf-8'),
  file('l'.repeat(255), 'a long name'),
];
const TOP = [
  directory('nothing'),
  file('nothing/here', 'a directory for a file', { mtime: 1_600_000_000.5 }),
  file('big-again', 'a name less'),
  directory('etc/deep'),
  file('etc/deep/newer', bytesOf(8, 300_000)),
];

/** What rsync would have to change in the mount to make it the other folder; the root itself, which engines make, aside. */
async function differences(folder: string, mounted: string): Promise<string[]> {
  const options = ['-aHAX', '--checksum', '--numeric-ids', '--delete', '--dry-run', '--itemize-changes'];
  const { stdout } = await run('rsync', [...options, `${folder}/`, `${mounted}/`]);
  return stdout.split('\n').filter((line) => line !== '' && !line.endsWith(' ./'));
}

if (canRun) {
  describe('an image behind a mount', () => {
    const station = suiteStation();
    let folder: ReturnType<typeof tempFolder>;
    let unpacked: string;
    let indexes: readonly string[];
    let mounts: AsyncDisposable[] = [];

    beforeAll(async () => {
      folder = tempFolder('real-mount');
      const [bottom] = programCorpus(folder.path).find(({ name }) =>
        name.includes('pax with attributes'),
      )!.layers;
      const layers = [bottom!, layerTar(UPPER), layerTar(TOP)];
      const image = buildImage({ layers: layers.map((tar) => ({ tar })), names: ['real'] });
      const layout = join(folder.path, 'layout');
      writeOciLayout(layout, [image]);
      unpacked = join(folder.path, 'unpacked');
      await run('umoci', ['raw', 'unpack', '--image', `${layout}:real`, unpacked]);
      const { record } = await station.push(dockerArchive([image]));
      indexes = indexesOf(record);
    }, 60_000);
    afterEach(async () => {
      for (const mount of mounts) await mount[Symbol.asyncDispose]();
      mounts = [];
    });
    afterAll(() => folder[Symbol.dispose]());

    const indexesOf = (record: ImageRecord): string[] =>
      record.manifests[0]!.layers.map(({ root }) =>
        readLayerRoot(CID.parse(root!), (cid) => station.store.blocks.getSync(cid)).index.cid.toString(),
      );

    let number = 0;
    async function mount(
      root: string,
      more: Partial<ChainRecord> = {},
      want?: (missing: MissingContent) => Promise<{ complete: boolean }>,
    ): Promise<MountedLayers & { readonly tree: string }> {
      const own = join(folder.path, `mount-${++number}`);
      mkdirSync(own);
      const mounted = await mountLayers(own, {
        root,
        first: [{ do: 'add', chain: chainRecord(indexes, more) }],
        ...(want !== undefined && { want }),
      });
      mounts.push(mounted);
      return Object.assign(mounted, { tree: join(mounted.path, 't/chain') });
    }

    it('is what umoci unpacks, to the byte, and the kernel reads it by itself', async () => {
      const mounted = await mount(station.root);
      expect(await differences(unpacked, mounted.tree)).toEqual([]);
      const { passthrough, read } = await mounted.opens('chain');
      expect(passthrough).toBeGreaterThan(10);
      // Empty files alone are opened without an id, and they are not counted.
      expect(read).toBe(0);
      expect(mounted.log).toEqual([]);
    });

    it('is the same under an overlay', async () => {
      const mounted = await mount(station.root);
      const [empty, target] = [join(mounted.folder, 'empty'), join(mounted.folder, 'overlay')];
      for (const each of [empty, target]) mkdirSync(each);
      const options = `ro,lowerdir=${mounted.tree}:${empty},metacopy=off,redirect_dir=off,index=off`;
      await run('mount', ['-t', 'overlay', 'shp-test', '-o', options, target]);
      try {
        expect(await differences(unpacked, target)).toEqual([]);
      } finally {
        await run('umount', [target]);
      }
    });

    it('comes lazily: each object once, large ones by what is read of them', async () => {
      const root = join(folder.path, 'lazy');
      const [from, to] = [storeLayout(station.root), storeLayout(root)];
      const copy = (cid: string) => {
        mkdirSync(dirname(to.object(cid)), { recursive: true });
        copyFileSync(from.object(cid), to.object(cid));
      };
      for (const index of indexes) copy(index);
      mkdirSync(to.partials, { recursive: true });
      const wanted: MissingContent[] = [];
      const mounted = await mount(root, {}, async (missing) => {
        wanted.push(missing);
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (missing.answer.kind === 'open') {
          copy(missing.cid);
          return { complete: true };
        }
        // Leaves as the station brings them: the bytes, and the marks behind them.
        const bytes = await readFile(from.object(missing.cid));
        const handle = await open(to.partial(missing.cid), existsSync(to.partial(missing.cid)) ? 'r+' : 'w');
        await handle.truncate(bytes.length);
        const [first, end] = [missing.first * LEAF, Math.min(bytes.length, missing.end * LEAF)];
        await handle.write(bytes, first, end - first, first);
        await handle.close();
        return { complete: false };
      });
      const head = await open(join(mounted.tree, 'big'));
      expect((await head.read(Buffer.alloc(10), 0, 10, 5_000_000)).buffer).toEqual(
        BIG.subarray(5_000_000, 5_000_010),
      );
      const leaves = new Set(
        wanted.flatMap(({ first, end }) => [...Array(end - first).keys()].map((n) => first + n)),
      );
      expect(leaves.has(Math.floor(5_000_000 / LEAF))).toBe(true);
      expect(leaves.size).toBeLessThan(8);
      await head.close();
      expect(await differences(unpacked, mounted.tree)).toEqual([]);
      const opens = wanted.filter(({ answer }) => answer.kind === 'open').map(({ cid }) => cid);
      expect(new Set(opens).size).toBe(opens.length);
      expect(opens.length).toBeGreaterThan(10);
      expect(mounted.log).toEqual([]);
      // Now that the small ones are here the kernel reads them by itself.
      const before = await mounted.opens('chain');
      await readFile(join(mounted.tree, 'etc/passwd'));
      expect((await mounted.opens('chain')).passthrough).toBe(before.passthrough + 1);
    });

    it('is EIO where nobody has the content, and goes on', async () => {
      const root = join(folder.path, 'nobody');
      const [from, to] = [storeLayout(station.root), storeLayout(root)];
      for (const index of indexes) {
        mkdirSync(dirname(to.object(index)), { recursive: true });
        copyFileSync(from.object(index), to.object(index));
      }
      const mounted = await mount(root);
      await expect(readFile(join(mounted.tree, 'etc/passwd'))).rejects.toMatchObject({ code: 'EIO' });
      await expect(readFile(join(mounted.tree, 'big'))).rejects.toMatchObject({ code: 'EIO' });
      expect(mounted.log).toContain('/etc/passwd cannot be read: nobody has /etc/passwd');
      expect((await stat(join(mounted.tree, 'big'))).size).toBe(BIG.length);
    });

    it('is served on by another thread that knows nothing but what is on disk', async () => {
      const mounted = await mount(station.root, { recording: true });
      const [read, passed] = [
        await open(join(mounted.tree, 'big')),
        await open(join(mounted.tree, 'etc/passwd')),
      ];
      const inode = (await read.stat()).ino;
      const first = await read.read(Buffer.alloc(100), 0, 100, 0);
      expect(first.buffer).toEqual(BIG.subarray(0, 100));
      await mounted.serveAnew();
      expect((await read.read(Buffer.alloc(100), 0, 100, 4_000_000)).buffer).toEqual(
        BIG.subarray(4_000_000, 4_000_100),
      );
      expect((await read.stat()).ino).toBe(inode);
      expect((await stat(join(mounted.tree, 'big'))).ino).toBe(inode);
      expect((await passed.readFile()).toString()).toBe('changed\n');
      // One that is open in READ mode and one that is in passthrough can be opened again, as they were.
      await mounted.command({ do: 'recording', key: 'chain', recording: false });
      for (const path of ['big', 'etc/passwd']) await readFile(join(mounted.tree, path));
      await read.close();
      await passed.close();
      expect(await differences(unpacked, mounted.tree)).toEqual([]);
      expect(mounted.log).toEqual([]);
    });

    it('keeps times before 1970 and devices of 32 bits', async () => {
      const odd = layerTar([
        file('before', 'x', { mtime: -86_400.25 }),
        { path: 'wide', type: 'chardev', devMajor: 4095, devMinor: 1_048_575 },
      ]);
      const image = buildImage({ layers: [{ tar: odd }], names: ['odd:1'] });
      const { record } = await station.push(dockerArchive([image]));
      const mounted = await mount(station.root, { key: 'odd', indexes: indexesOf(record) });
      const seen = await stat(join(mounted.path, 't/odd/before'), { bigint: true });
      expect(seen.mtimeNs).toBe(-86_400_250_000_000n);
      expect(describeFolder(join(mounted.path, 't/odd'))['wide']).toMatchObject({ device: '4095:1048575' });
    });
  });
}
