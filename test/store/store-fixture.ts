import { createCipheriv } from 'node:crypto';
import type { CID } from 'multiformats/cid';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { digestOf, sha256 } from '../../src/base/digest.ts';
import type { DagBlock } from '../../src/image/dag/dag-block.ts';
import { type DirectoryDag, directoryDag } from '../../src/image/dag/directory-dag.ts';
import { rawCid } from '../../src/image/dag/file-dag.ts';
import { createFileHasher } from '../../src/image/dag/file-hasher.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import type { ImageRecord } from '../../src/store/image-records.ts';
import type { Lease } from '../../src/store/lease.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { defaultStoreSettings, type StoreSettings } from '../../src/store/store-settings.ts';

/** Settings for tests: no sweep by itself, no syncfs, a small database. */
export const testSettings: StoreSettings = {
  ...defaultStoreSettings,
  syncOnPin: false,
  sweepDelayMs: 3_600_000,
  reserveBytes: 2 * 1024 ** 2,
  databaseMaxBytes: 1024 ** 3,
};

export function openTestStore(
  root: string,
  settings: Partial<StoreSettings> = {},
  clock: Clock = systemClock,
): Promise<Store> {
  return openStore(root, { logger: silentLogger, clock }, { ...testSettings, ...settings });
}

/** The same `size` bytes for the same seed; they do not compress. */
export function bytesOf(seed: number, size: number): Buffer {
  const key = sha256(Buffer.from(`seed ${seed}`)).subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

export function cidOf(bytes: Uint8Array): CID {
  const hasher = createFileHasher();
  hasher.update(bytes);
  return hasher.finish().cid;
}

export function leavesOf(bytes: Uint8Array): Uint8Array | undefined {
  const hasher = createFileHasher();
  hasher.update(bytes);
  return hasher.finish().leaves;
}

/** Writes in pieces of `step` bytes. */
export function writeObject(store: Store, lease: Lease, bytes: Uint8Array, step = 65_536, expected?: number) {
  const writer = store.objects.write(lease, expected ?? bytes.length);
  for (let at = 0; at < bytes.length; at += step) writer.write(bytes.subarray(at, at + step));
  return writer.finish();
}

export interface TestImage {
  readonly record: ImageRecord;
  /** Directories and JSON. */
  readonly blocks: readonly DagBlock[];
  readonly files: readonly Buffer[];
}

/** An image whose one layer has these files; its shape below the manifest root is of no matter to the store. */
export function testImage(files: readonly Buffer[], options: Partial<ImageRecord> = {}): TestImage {
  const blocks: DagBlock[] = [];
  const directory = (links: Record<string, { cid: CID; tsize: number }>): DirectoryDag => {
    const made = directoryDag(Object.entries(links).map(([name, { cid, tsize }]) => ({ name, cid, tsize })));
    blocks.push(...made.blocks);
    return made;
  };
  const raw = (text: string) => {
    const bytes = Buffer.from(text);
    const block = { cid: rawCid(sha256(bytes)), bytes };
    blocks.push(block);
    return { ...block, tsize: bytes.length };
  };
  const named = files.map(
    (bytes, index) => [`f${index}`, { cid: cidOf(bytes), tsize: bytes.length }] as const,
  );
  const tree = directory(Object.fromEntries(named));
  const layers = directory({ 0: tree });
  const manifest = raw(`{"manifest":"${tree.cid}"}`);
  const config = raw(`{"config":"${tree.cid}"}`);
  const manifestRoot = directory({ 'manifest.json': manifest, 'config.json': config, layers });
  const digest = digestOf(manifest.cid.multihash.digest);
  const manifests = directory({ [digest]: manifestRoot });
  const root = directory({ manifests });
  const imageId = digestOf(config.cid.multihash.digest);
  return {
    blocks,
    files,
    record: {
      root: root.cid.toString(),
      manifests: [
        {
          root: manifestRoot.cid.toString(),
          digest,
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          imageId,
          platform: 'linux/amd64',
          layers: [],
        },
      ],
      names: [],
      publishedRoots: [],
      state: 'pinned',
      shared: false,
      keptBlobs: [],
      origin: 'push',
      contentSize: files.reduce((sum, bytes) => sum + bytes.length, 0),
      createdAt: 1,
      usedAt: 1,
      ...options,
    },
  };
}

/** Stores all of an image but its record. */
export function storeImage(store: Store, lease: Lease, image: TestImage): void {
  for (const bytes of image.files) writeObject(store, lease, bytes);
  for (const { cid, bytes } of image.blocks) store.blocks.put(lease, cid, bytes);
}

/** Every block of an image that is missing or wrong here. */
export function brokenParts(store: Store, image: TestImage): string[] {
  const broken: string[] = [];
  for (const { cid, bytes } of image.blocks) {
    const found = store.blocks.getSync(cid);
    if (found === undefined || Buffer.compare(found, bytes) !== 0) broken.push(cid.toString());
  }
  for (const bytes of image.files) {
    const cid = cidOf(bytes);
    const here = store.objects.has(cid) && store.objects.readSync(cid, 0, bytes.length);
    if (!here || Buffer.compare(here, bytes) !== 0) broken.push(cid.toString());
  }
  return broken;
}
