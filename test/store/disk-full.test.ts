import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../../src/store/store.ts';
import { storeLayout } from '../../src/store/store-layout.ts';
import { requirement } from '../support/requirement.ts';
import { tempFolder } from '../support/temp-folder.ts';
import {
  brokenParts,
  bytesOf,
  cidOf,
  openTestStore,
  storeImage,
  testImage,
  writeObject,
} from './store-fixture.ts';

const isRoot = process.getuid?.() === 0;

if (requirement('store on a full disk', isRoot, 'it needs root to mount a small tmpfs')) {
  describe('a full disk', () => {
    let folder: ReturnType<typeof tempFolder>;
    let store: Store;

    beforeEach(async () => {
      folder = tempFolder('full');
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder.path]);
      store = await openTestStore(folder.path);
    });

    afterEach(async () => {
      await store.close();
      execFileSync('umount', [folder.path]);
      folder[Symbol.dispose]();
    });

    async function fill(size: number): Promise<void> {
      const lease = store.lease('push');
      try {
        for (let seed = 1000; ; seed++) {
          writeObject(store, lease, bytesOf(seed, size));
          await store.objects.drained(lease);
        }
      } finally {
        lease.end();
      }
    }

    it.each([20_000, 200_000, 1_500_000])(
      'fails the write of files of %i bytes, and nothing else',
      async (size) => {
        const image = testImage([bytesOf(1, 50_000), bytesOf(2, 600_000)]);
        const lease = store.lease('push');
        storeImage(store, lease, image);
        await store.images.put(image.record);
        lease.end();
        await expect(fill(size)).rejects.toMatchObject({
          kind: 'unavailable',
          code: 'disk-full',
          fields: { path: expect.stringContaining(folder.path) },
        });
        expect(brokenParts(store, image)).toEqual([]);
        await store.gc();
        expect(brokenParts(store, image)).toEqual([]);
        expect(store.usage().objects).toBe(2);
        expect(readdirSync(storeLayout(folder.path).temporary)).toEqual([]);
        const after = store.lease('push');
        const { cid } = writeObject(store, after, bytesOf(3, 1_000_000));
        await store.objects.flush(after);
        expect(store.objects.has(cid)).toBe(true);
        after.end();
      },
    );

    it('lets a commit of the database fail by itself where not even the reserve is left, and goes on afterwards', async () => {
      await store.close();
      store = await openTestStore(folder.path, { reserveBytes: 0 });
      await store.values.put('before', 1);
      const ballast = join(folder.path, 'ballast');
      expect(() => writeFileSync(ballast, Buffer.alloc(16 * 1024 * 1024))).toThrow();
      const big = bytesOf(6, 100_000).toString('hex');
      for (const name of ['first', 'second']) {
        await expect(store.values.put(name, big)).rejects.toMatchObject({ code: 'disk-full' });
      }
      rmSync(ballast);
      await store.values.put('after', 2);
      await store.close();
      store = await openTestStore(folder.path);
      expect([store.values.get('before'), store.values.get('after')]).toEqual([1, 2]);
    });

    it('fails every operation that relies on a write that failed, and no image is pinned on it', async () => {
      const lease = store.lease('push');
      const other = store.lease('push');
      const big = bytesOf(4, 14 * 1024 * 1024);
      writeObject(store, lease, big);
      other.see(cidOf(big));
      const image = testImage([big]);
      for (const { cid, bytes } of image.blocks) store.blocks.put(other, cid, bytes);
      await expect(store.images.put(image.record)).rejects.toMatchObject({ code: 'incomplete-image' });
      for (const failed of [lease, other]) {
        await expect(store.objects.flush(failed)).rejects.toMatchObject({ code: 'disk-full' });
        expect(() => store.objects.write(failed)).toThrow(expect.objectContaining({ code: 'disk-full' }));
      }
      expect(store.objects.has(cidOf(big))).toBe(false);
      const fine = store.lease('push');
      writeObject(store, fine, bytesOf(5, 1000));
      await store.objects.drained(fine);
      for (const open of [lease, other, fine]) open.end();
    });
  });
} else {
  it('is not tried here', () => expect(isRoot).toBe(false));
}
