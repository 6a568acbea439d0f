// Run as a process of its own, which its test kills: pushes, pulls, removes and sweeps until then, and says on stdout what
// must be there afterwards.
import { writeSync } from 'node:fs';
import { seededImage, seedOf } from './seeded-image.ts';
import { bytesOf, cidOf, leavesOf, openTestStore, storeImage, writeObject } from './store-fixture.ts';

const [root = '', first = '0'] = process.argv.slice(2);
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const store = await openTestStore(root, { sweepDelayMs: 5 });

async function pullPiecewise(seed: number): Promise<void> {
  const bytes = bytesOf(seed, 1_500_000);
  const lease = store.lease('pull');
  const info = { cid: cidOf(bytes), size: bytes.length, leaves: leavesOf(bytes) as Uint8Array };
  const partial = await store.objects.partial(lease, info);
  for (const leaf of [3, 5, 0, 1, 4, 2].slice(0, 3 + (seed % 4))) {
    await partial.putLeaf(leaf, bytes.subarray(leaf * 262_144, (leaf + 1) * 262_144));
  }
  if (seed % 3 === 0) lease.end();
}

say('ready');
for (let seed = Number(first); ; seed++) {
  const image = seededImage(seed);
  const lease = store.lease('push', { shared: image.record.shared });
  if (seed % 4 === 3) {
    for (const bytes of image.files) {
      writeObject(store, lease, bytes);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  storeImage(store, lease, image);
  const pulling = pullPiecewise(seed);
  await store.images.put(image.record);
  say(`pinned ${seed}`);
  lease.end();
  await pulling;
  if (seed % 3 === 0) store.gc().catch(() => {});
  if (seed % 3 === 1) {
    const [oldest] = store.images.all();
    if (oldest === undefined) continue;
    say(`removing ${seedOf(oldest.names)}`);
    await store.images.remove(oldest.root);
  }
}
