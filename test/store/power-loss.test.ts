import { cpSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { storeLayout } from '../../src/store/store-layout.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { bytesOf, cidOf, leavesOf, openTestStore, writeObject } from './store-fixture.ts';

const CHUNK = 262_144;

describe('after a power loss', () => {
  it('what no sync had covered is hashed again, and dropped where its bytes are not there', async () => {
    using live = tempFolder('power');
    using lost = tempFolder('power-lost');
    const store = await openTestStore(live.path, { bootId: 'first' });
    const lease = store.lease('push');
    const [old, cut, good, piecewise] = [1, 2, 3, 4].map((seed) => bytesOf(seed, 2 * CHUNK + seed));
    const all = [old, cut, good, piecewise] as Buffer[];
    writeObject(store, lease, all[0] as Buffer);
    await store.objects.flush();
    writeObject(store, lease, all[1] as Buffer);
    writeObject(store, lease, all[2] as Buffer);
    const info = {
      cid: cidOf(all[3] as Buffer),
      size: 2 * CHUNK + 4,
      leaves: leavesOf(all[3] as Buffer) as Uint8Array,
    };
    const partial = await store.objects.partial(lease, info);
    for (const leaf of [0, 1])
      await partial.putLeaf(leaf, (all[3] as Buffer).subarray(leaf * CHUNK, (leaf + 1) * CHUNK));
    // A pin without syncfs commits the rows and lets the bits go to disk.
    await store.values.put('any', 1);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await store.values.put('any', 2);
    cpSync(live.path, lost.path, { recursive: true });
    const layout = storeLayout(lost.path);
    rmSync(layout.lock);
    truncateSync(layout.object(cidOf(all[1] as Buffer).toString()), 0);
    writeFileSync(layout.partial(partial.cid.toString()), Buffer.alloc(2 * CHUNK + 4), { flag: 'r+' });
    writeFileSync(layout.partial(partial.cid.toString()), (all[3] as Buffer).subarray(0, CHUNK), {
      flag: 'r+',
    });
    await store.close();

    const after = await openTestStore(lost.path, { bootId: 'second' });
    expect(all.slice(0, 3).map((bytes) => after.objects.has(cidOf(bytes)))).toEqual([true, false, true]);
    const second = after.lease('pull');
    const resumed = await after.objects.partial(second, info);
    expect([0, 1, 2].map((leaf) => resumed.hasLeaf(leaf))).toEqual([true, false, false]);
    expect(writeObject(after, second, all[1] as Buffer).written).toBe((all[1] as Buffer).length);
    second.end();
    await after.close();
  });

  it('nothing is hashed where the store was flushed, or the boot is the same', async () => {
    using folder = tempFolder('power');
    const store = await openTestStore(folder.path, { bootId: 'first' });
    const lease = store.lease('push');
    const bytes = bytesOf(5, 1000);
    const { cid } = writeObject(store, lease, bytes);
    lease.end();
    await store.close();
    // Wrong bytes of the right length show whether anybody looked.
    writeFileSync(storeLayout(folder.path).object(cid.toString()), Buffer.alloc(1000));
    const after = await openTestStore(folder.path, { bootId: 'second' });
    expect(after.objects.has(cid)).toBe(true);
    await after.close();
  });
});
