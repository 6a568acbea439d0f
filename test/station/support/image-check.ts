import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageSummary, StationStatus, VerifyResult } from '../../../src/observe/control/views.ts';
import type { TestStation } from './station-process.ts';

/** The images that a station lists, each of them found whole by `verify`. @throws Error with what is wrong */
export async function verifiedImages(station: TestStation): Promise<ImageSummary[]> {
  const images = await station.json<ImageSummary[]>(['ls']);
  for (const { root } of images) {
    const { problems } = await station.json<VerifyResult>(['verify', root]);
    if (problems.length > 0) throw new Error(`${root}: ${problems.join('; ')}`);
  }
  return images;
}

/** Removes all images, gives back all that was kept, and answers what is left: nothing, in a sound store. */
export async function emptied(station: TestStation): Promise<object> {
  for (const { root } of await station.json<ImageSummary[]>(['ls'])) await station.ok(['rm', root]);
  await station.ok(['gc', '--interrupted']);
  const { usage, images } = await station.json<StationStatus>(['status']);
  const files = (folder: string) =>
    readdirSync(join(station.root, folder), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ).length;
  return { images, ...usage, files: files('cas') + files('partial') + files('tmp') };
}

/** What {@link emptied} answers where nothing was lost. */
export const NOTHING = {
  images: 0,
  objects: 0,
  objectBytes: 0,
  partialBytes: 0,
  blocks: 0,
  blockBytes: 0,
  files: 0,
};
