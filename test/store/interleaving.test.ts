import fc from 'fast-check';
import type { Lease } from '../../src/store/lease.ts';
import type { Store } from '../../src/store/store.ts';
import { tempFolder } from '../support/temp-folder.ts';
import {
  brokenParts,
  bytesOf,
  cidOf,
  leavesOf,
  openTestStore,
  type TestImage,
  testImage,
  writeObject,
} from './store-fixture.ts';

const CHUNK = 262_144;
const CONTENTS = [
  bytesOf(1, 50),
  bytesOf(2, 3000),
  bytesOf(3, CHUNK),
  bytesOf(4, CHUNK + 9),
  bytesOf(5, 3 * CHUNK),
];
const IMAGES: readonly TestImage[] = [
  [0, 1, 4],
  [1, 2],
  [0, 3, 4],
  [2, 3],
].map((members, index) =>
  testImage(
    members.map((member) => CONTENTS[member] as Buffer),
    { names: [`image ${index}`], shared: index % 2 === 0 },
  ),
);

type Step =
  | { readonly do: 'push' | 'pull' | 'remove'; readonly image: number }
  | { readonly do: 'gc' | 'gc interrupted' | 'settle' | 'reopen' }
  | { readonly do: 'turns'; readonly count: number };

const image = fc.nat({ max: IMAGES.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('push' as const, 'pull' as const), image }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), image }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('gc' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.nat({ max: 12 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('settle' as const, 'reopen' as const, 'gc interrupted' as const),
    }),
  },
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs operations side by side and knows which images must be whole. */
class Station {
  readonly root: string;
  store!: Store;
  #run = 0;
  #operations = new Set<Promise<void>>();
  /** Put, and no removal begun since. */
  readonly pinned = new Set<number>();
  /** A removal after this put was called makes the image's fate open. */
  readonly #removals = new Map<number, number>();

  constructor(root: string) {
    this.root = root;
  }

  async open(): Promise<void> {
    this.store = await openTestStore(this.root);
  }

  start(operation: (alive: () => boolean) => Promise<void>): void {
    const run = this.#run;
    const running: Promise<void> = operation(() => run === this.#run).finally(() =>
      this.#operations.delete(running),
    );
    this.#operations.add(running);
  }

  async settle(): Promise<void> {
    await Promise.all(this.#operations);
  }

  /** Operations stop where they are, their leases stay open: what a crash leaves, less the torn writes. */
  async reopen(): Promise<void> {
    this.#run++;
    await this.settle();
    await this.store.close();
    await this.open();
  }

  async push(index: number, alive: () => boolean): Promise<void> {
    const { store } = this;
    const { files, blocks } = IMAGES[index] as TestImage;
    const lease = store.lease('push', { shared: index % 2 === 0 });
    for (const bytes of files) {
      writeObject(store, lease, bytes);
      await store.objects.drained(lease);
      await turn();
      if (!alive()) return;
    }
    for (const { cid, bytes } of blocks) {
      store.blocks.put(lease, cid, bytes);
      await turn();
      if (!alive()) return;
    }
    await this.#pin(index, lease);
  }

  async pull(index: number, alive: () => boolean): Promise<void> {
    const { store } = this;
    const { files, blocks } = IMAGES[index] as TestImage;
    const lease = store.lease('pull', { subject: `image ${index}` });
    for (const { cid, bytes } of blocks) {
      if (store.blocks.has(cid)) lease.see(cid);
      else store.blocks.put(lease, cid, bytes);
      await turn();
      if (!alive()) return;
    }
    for (const bytes of files) {
      const cid = cidOf(bytes);
      lease.see(cid);
      if (store.objects.has(cid)) continue;
      if (bytes.length <= CHUNK) store.objects.putWhole(lease, cid, bytes);
      else if (!(await this.#pullPiecewise(lease, bytes, alive))) return;
      await turn();
      if (!alive()) return;
    }
    await this.#pin(index, lease);
  }

  async #pullPiecewise(lease: Lease, bytes: Buffer, alive: () => boolean): Promise<boolean> {
    const info = { cid: cidOf(bytes), size: bytes.length, leaves: leavesOf(bytes) as Uint8Array };
    const partial = await this.store.objects.partial(lease, info);
    for (let leaf = partial.leafCount - 1; leaf >= 0; leaf--) {
      if (!alive()) return false;
      if (!partial.hasLeaf(leaf))
        await partial.putLeaf(leaf, bytes.subarray(leaf * CHUNK, (leaf + 1) * CHUNK));
    }
    return true;
  }

  async #pin(index: number, lease: Lease): Promise<void> {
    const removals = this.#removals.get(index) ?? 0;
    await this.store.images.put((IMAGES[index] as TestImage).record);
    if ((this.#removals.get(index) ?? 0) === removals) this.pinned.add(index);
    lease.end();
  }

  async remove(index: number): Promise<void> {
    this.pinned.delete(index);
    this.#removals.set(index, (this.#removals.get(index) ?? 0) + 1);
    await this.store.images.remove((IMAGES[index] as TestImage).record.root);
  }

  check(): void {
    for (const index of this.pinned) {
      const broken = brokenParts(this.store, IMAGES[index] as TestImage);
      if (broken.length > 0) throw new Error(`image ${index} misses ${broken}`);
    }
  }

  /** After everything ended: exactly what the records name is here. */
  async checkRest(): Promise<void> {
    await this.settle();
    await this.store.gc({ interrupted: true });
    this.check();
    const names = [...this.store.images.all()].map((record) => record.names[0]);
    const left = IMAGES.filter(({ record }) => names.includes(record.names[0] as string));
    const objects = new Set(left.flatMap(({ files }) => files.map((bytes) => `${cidOf(bytes)}`)));
    const blocks = new Set(left.flatMap((each) => each.blocks.map(({ cid }) => `${cid}`)));
    expect(this.store.usage()).toMatchObject({ objects: objects.size, blocks: blocks.size, partialBytes: 0 });
    for (const bytes of CONTENTS) {
      const sharing = left.some(({ record, files }) => record.shared && files.includes(bytes));
      expect(this.store.blocks.size(cidOf(bytes), { sharedOnly: true }) !== undefined).toBe(sharing);
    }
  }
}

async function perform(station: Station, step: Step): Promise<void> {
  switch (step.do) {
    case 'push':
      return station.start((alive) => station.push(step.image, alive));
    case 'pull':
      return station.start((alive) => station.pull(step.image, alive));
    case 'remove':
      return station.start(() => station.remove(step.image));
    case 'gc':
      return station.start(() => station.store.gc().then(() => {}));
    case 'gc interrupted':
      return station.start(() => station.store.gc({ interrupted: true }).then(() => {}));
    case 'settle':
      return station.settle();
    case 'reopen':
      return station.reopen();
    case 'turns':
      for (let count = 0; count < step.count; count++) await turn();
  }
}

it('no pinned image ever misses a block, whatever runs beside what; nothing unreachable is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      using folder = tempFolder('interleaving');
      const station = new Station(folder.path);
      await station.open();
      try {
        for (const each of steps) {
          await perform(station, each);
          station.check();
        }
        await station.checkRest();
      } finally {
        await station.settle();
        await station.store.close();
      }
    }),
    { numRuns: 60, endOnFailure: true },
  );
}, 600_000);
