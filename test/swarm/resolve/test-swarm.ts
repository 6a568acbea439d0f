import { CID } from 'multiformats/cid';
import { systemClock } from '../../../src/base/clock.ts';
import { digestHex } from '../../../src/base/digest.ts';
import { makeIdentity } from '../../../src/config/identity-file.ts';
import { publishedRoot } from '../../../src/image/dag/image-roots.ts';
import { type Logger, silentLogger } from '../../../src/observe/logger.ts';
import type { ImageRecord } from '../../../src/store/image-records.ts';
import type { Store } from '../../../src/store/store.ts';
import { type OpenSwarmSettings, openSwarm } from '../../../src/swarm/open-swarm.ts';
import type { Swarm } from '../../../src/swarm/swarm.ts';
import { bytesOf, openTestStore, storeImage, type TestImage, testImage } from '../../store/store-fixture.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { loopbackSettings } from '../network/test-network.ts';

export const NETWORK_KEY = Buffer.alloc(32, 7);

export const swarmSettings: OpenSwarmSettings = {
  ...loopbackSettings,
  networkKey: NETWORK_KEY,
  fetch: { windowBytes: 32 * 1024 * 1024, waitMs: 5_000, treeMaxBytes: 64 * 1024 * 1024, compress: 'auto' },
  serve: { uploadLimit: 0 },
};

export interface TestStation extends AsyncDisposable {
  readonly swarm: Swarm;
  readonly store: Store;
  readonly addr: string;
  readonly id: string;
}

/** A whole swarm on a real store, on loopback, on one private network. */
export const testStation = (settings: Partial<OpenSwarmSettings> = {}, logger?: Logger) =>
  stationWith({ ...swarmSettings, ...settings }, logger);

/** On the public network, which is nobody but who is connected here. */
export const publicStation = () => {
  const { networkKey: _private, ...settings } = swarmSettings;
  return stationWith(settings);
};

async function stationWith(settings: OpenSwarmSettings, logger: Logger = silentLogger): Promise<TestStation> {
  const folder = tempFolder('swarm');
  const store = await openTestStore(folder.path);
  const identity = makeIdentity();
  const swarm = await openSwarm(
    { store, logger, clock: systemClock, identity, random: Math.random },
    settings,
  ).catch(async (error) => {
    await store.close();
    folder[Symbol.dispose]();
    throw error;
  });
  return {
    swarm,
    store,
    id: identity.peerId,
    addr: swarm.addrs()[0] ?? '',
    async [Symbol.asyncDispose]() {
      await swarm.stop();
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}

export const soon = () => AbortSignal.timeout(20_000);

/** Stores an image made from `seed`, published under its id and its names. */
export async function publish(
  { store }: Pick<TestStation, 'store'>,
  seed: number,
  options: Partial<ImageRecord> = {},
): Promise<TestImage & { readonly published: string }> {
  const image = testImage([bytesOf(seed, 1000)], { shared: true, ...options });
  const lease = store.lease('push');
  storeImage(store, lease, image);
  const root = { cid: CID.parse(image.record.root), tsize: 1000 };
  const id = digestHex(image.record.manifests[0]?.imageId ?? ('' as never)).slice(0, 12);
  const published = publishedRoot([id, ...image.record.names].map((name) => ({ name, root })));
  for (const { cid, bytes } of published.blocks) store.blocks.put(lease, cid, bytes);
  const record = { ...image.record, publishedRoots: [published.cid.toString()] };
  await store.images.put(record);
  lease.end();
  return { ...image, record, published: published.cid.toString() };
}

export const imageIdOf = ({ record }: TestImage): string =>
  digestHex(record.manifests[0]?.imageId ?? ('' as never));
