import { statfs } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';

/**
 * Fails while less than `reserve` bytes would stay free after `needed` more: containers on this disk must be able to
 * go on writing.
 * @throws Fault `unavailable/disk-full` (fields: path, free, needed)
 */
export async function checkDiskSpace(path: string, reserve: number, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  if (free - needed >= reserve) return;
  throw new Fault(
    'unavailable',
    'disk-full',
    `the disk of ${path} has ${free} bytes free; ${needed} more are needed and ${reserve} stay in reserve (store.reserve): free some space (dkr-shp gc), then run it again`,
    { fields: { path, free, needed, reserve } },
  );
}
