import { BIG_DIRECTORY, BIG_FILE, contractTree, type TreeEntry } from './contract-tree.ts';

/** What a program sees of an entry. Times as seconds and what is above, so negative ones round down. */
export interface SeenStat {
  readonly inode: number;
  readonly size: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNanos: number;
  readonly device: readonly [number, number];
}

/** A filesystem as its users see it, whatever lies between. Paths and names are latin1; failures carry `code`. */
export interface FilesystemView extends AsyncDisposable {
  /** Of the entry itself: links are not followed. */
  stat(path: string): Promise<SeenStat>;
  /** Without `.` and `..`. */
  list(path: string): Promise<string[]>;
  read(path: string, offset: number, size: number): Promise<Uint8Array>;
  link(path: string): Promise<string>;
  xattr(path: string, name: string): Promise<Uint8Array>;
  xattrNames(path: string): Promise<string[]>;
  seek(path: string, offset: number, to: 'data' | 'hole'): Promise<number>;
}

const TYPE_BITS: Readonly<Record<string, number>> = {
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
  chardev: 0o020000,
  blockdev: 0o060000,
  fifo: 0o010000,
};

/**
 * What every filesystem behind a FUSE session must show of the contract tree.
 * @param open serves {@link contractTree} anew for all of the suite
 * @param without paths that a filesystem cannot show: content that is not all data
 */
export function describeFilesystem(
  name: string,
  open: () => Promise<FilesystemView>,
  without: readonly string[] = [],
): void {
  describe(name, () => {
    const tree = contractTree().filter(({ path }) => !without.includes(path));
    const entry = (path: string) => tree.find((each) => each.path === path)!;
    let view: FilesystemView;
    beforeAll(async () => {
      view = await open();
    });
    afterAll(() => view[Symbol.asyncDispose]());

    const statted = tree.filter(({ path, kind }) => kind !== 'hardlink' && !/^(many|deep)\//.test(path));
    const big = entry('big').content!;
    it.each(statted.map((each): [string, TreeEntry] => [each.path, each]))('stat %j', async (path, each) => {
      const seen = await view.stat(path);
      expect(seen.mode).toBe(TYPE_BITS[each.kind]! | (each.mode ?? 0o755));
      expect([seen.uid, seen.gid]).toEqual([each.uid ?? 0, each.gid ?? 0]);
      expect([seen.mtime, seen.mtimeNanos]).toEqual([each.mtime ?? 1_600_000_000, each.mtimeNanos ?? 0]);
      expect(seen.device).toEqual(each.device ?? [0, 0]);
      if (each.kind !== 'directory')
        expect(seen.size).toBe(each.size ?? each.content?.length ?? each.target?.length ?? 0);
    });

    it('gives hard links one inode and the count of their names', async () => {
      const [first, second] = [await view.stat('plain'), await view.stat('linked')];
      expect(second).toEqual(first);
      expect(first.nlink).toBe(2);
    });

    it('lists the root with every name as its bytes are', async () => {
      const names = tree.map(({ path }) => path).filter((path) => path !== '' && !path.includes('/'));
      expect((await view.list('')).sort()).toEqual(names.sort());
    });

    it(`lists a directory of ${BIG_DIRECTORY} entries, each once`, async () => {
      const names = await view.list('many');
      expect(names.length).toBe(BIG_DIRECTORY);
      expect(new Set(names).size).toBe(BIG_DIRECTORY);
      expect((await view.stat(`many/${names.at(-1)}`)).inode).toBeGreaterThan(1);
    });

    it('lists an empty directory', async () => {
      expect(await view.list('sticky')).toEqual([]);
    });

    it('walks thirty directories deep', async () => {
      expect((await view.stat(`deep${'/d'.repeat(30)}`)).mode & TYPE_BITS['directory']!).not.toBe(0);
    });

    it('says the same of a name that is not there, twice', async () => {
      for (let n = 0; n < 2; n++) await expect(view.stat('absent')).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(view.stat('many/absent')).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('reads symbolic links of any length', async () => {
      for (const path of ['link', 'dangling', 'long-link'])
        expect(await view.link(path)).toBe(entry(path).target!);
    });

    it.each([
      [0, 10],
      [4095, 2],
      [BIG_FILE - 5, 100],
      [BIG_FILE - 1, 1],
      [1_048_575, 1_048_576],
      [123_457, 300_001],
    ])('reads at %i, %i bytes', async (offset, size) => {
      const expected = big.subarray(offset, offset + size);
      expect(Buffer.compare(await view.read('big', offset, size), expected)).toBe(0);
    });

    it('reads nothing at the end and past it', async () => {
      expect((await view.read('big', BIG_FILE, 100)).length).toBe(0);
      expect((await view.read('big', BIG_FILE + 1_000_000, 100)).length).toBe(0);
      expect((await view.read('empty', 0, 100)).length).toBe(0);
    });

    it('reads one file by both of its names', async () => {
      expect(Buffer.from(await view.read('linked', 0, 100)).toString()).toBe('hello\n');
    });

    it('lists and reads extended attributes, empty, binary and large ones', async () => {
      const { xattrs } = entry('attributed');
      expect((await view.xattrNames('attributed')).sort()).toEqual(Object.keys(xattrs!).sort());
      for (const [name, value] of Object.entries(xattrs!))
        expect(Buffer.compare(await view.xattr('attributed', name), value)).toBe(0);
    });

    it('has no attribute where none is', async () => {
      expect(await view.xattrNames('plain')).toEqual([]);
      await expect(view.xattr('plain', 'user.text')).rejects.toMatchObject({ code: 'ENODATA' });
    });

    if (!without.includes('sparse')) {
      it('finds data and holes', async () => {
        expect(await view.seek('sparse', 0, 'data')).toBe(0);
        expect(await view.seek('sparse', 0, 'hole')).toBe(4096);
        expect(await view.seek('sparse', 5000, 'data')).toBe(131_072);
        expect(await view.seek('sparse', 150_000, 'hole')).toBe(200_000);
        await expect(view.seek('sparse', 250_000, 'data')).rejects.toMatchObject({ code: 'ENXIO' });
      });
    }

    it('finds a hole at the end of a file, and nothing past it', async () => {
      expect(await view.seek('big', 7, 'data')).toBe(7);
      expect(await view.seek('big', 7, 'hole')).toBe(BIG_FILE);
      await expect(view.seek('big', BIG_FILE, 'data')).rejects.toMatchObject({ code: 'ENXIO' });
    });
  });
}
