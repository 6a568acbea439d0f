import { type FileHandle, open } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';
import type { StoreLayout } from '../store/store-layout.ts';
import { attachSharedLeaves, type SharedLeaves } from './shared-leaves.ts';

/** Reads content that has just come, without the FUSE thread. */
export interface ContentReader {
  /**
   * Marks leaves `[first, end)` of an object as here, in its shared memory.
   * @param complete the whole object is in `cas/`
   */
  mark(what: ComeContent): Promise<void>;
  /**
   * The same, and reads.
   * @throws Fault `corrupt/short-object` (fields: cid), `not-found/no-object`; what reading fails with
   */
  read(what: ComeContent, offset: number, length: number): Promise<Uint8Array>;
}

export interface ComeContent {
  readonly cid: string;
  readonly leaves: SharedArrayBuffer | undefined;
  readonly first: number;
  readonly end: number;
  readonly complete: boolean;
}

export function createContentReader(layout: StoreLayout): ContentReader {
  const openFile = async ({ cid, complete }: ComeContent): Promise<{ file: FileHandle; whole: boolean }> => {
    // It may have become complete since the station answered: a partial object then moves to cas/.
    const places = complete ? [true, false] : [false, true];
    for (const whole of places) {
      try {
        return { file: await open(whole ? layout.object(cid) : layout.partial(cid), 'r'), whole };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    throw new Fault('not-found', 'no-object', `the object ${cid} is not here although it was fetched`, {
      fields: { cid },
    });
  };

  const markIn = async (
    marks: SharedLeaves,
    what: ComeContent,
    file: FileHandle,
    whole: boolean,
  ): Promise<void> => {
    if (whole) {
      marks.whole = true;
      return;
    }
    const { ino } = await file.stat();
    // The FUSE thread has not opened it yet: it keeps these marks if it then finds the same file.
    if (marks.inode === 0) marks.inode = ino;
    if (marks.inode === ino) marks.mark(what.first, what.end);
    else marks.stale = true;
  };

  const withFile = async <T>(what: ComeContent, use: (file: FileHandle) => Promise<T>): Promise<T> => {
    const { file, whole } = await openFile(what);
    try {
      if (what.leaves !== undefined) await markIn(attachSharedLeaves(what.leaves), what, file, whole);
      return await use(file);
    } finally {
      await file.close();
    }
  };

  return {
    async mark(what) {
      if (what.leaves !== undefined) await withFile(what, async () => {});
    },
    read: (what, offset, length) =>
      withFile(what, async (file) => {
        const bytes = Buffer.allocUnsafe(length);
        let at = 0;
        while (at < length) {
          const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
        if (at === length) return bytes;
        throw new Fault('corrupt', 'short-object', `the file of ${what.cid} is shorter than its object`, {
          fields: { cid: what.cid, offset, length, got: at },
        });
      }),
  };
}
