import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { systemClock } from '../../../src/base/clock.ts';
import { makeIdentity } from '../../../src/config/identity-file.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import type { ImageRecord, ManifestRecord } from '../../../src/store/image-records.ts';
import type { Store } from '../../../src/store/store.ts';
import { type OpenSwarmSettings, openSwarm } from '../../../src/swarm/open-swarm.ts';
import type { Swarm } from '../../../src/swarm/swarm.ts';
import { type ExportFormat, exportImage } from '../../../src/transfer/export.ts';
import { pullWithBlobs } from '../../../src/transfer/missing-blobs.ts';
import type { PullOptions, PullOutcome } from '../../../src/transfer/pull.ts';
import { type PushOptions, type PushOutcome, push } from '../../../src/transfer/push.ts';
import type { TransferComponents, TransferSettings } from '../../../src/transfer/transfer-components.ts';
import { type ImageVerification, verifyImage } from '../../../src/transfer/verify-image.ts';
import { openTestStore } from '../../store/store-fixture.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { loopbackSettings } from '../../swarm/network/test-network.ts';
import { testTransferSettings } from './transfer-settings.ts';

const swarmSettings: OpenSwarmSettings = {
  ...loopbackSettings,
  networkKey: Buffer.alloc(32, 9),
  resolveWaitMs: 2_000,
  fetch: { windowBytes: 32 * 1024 * 1024, waitMs: 1_500, treeMaxBytes: 64 * 1024 * 1024, compress: 'auto' },
  serve: { uploadLimit: 0 },
};

export { faultOf } from './faults.ts';

export interface StationOptions {
  readonly transfer?: Partial<TransferSettings>;
  readonly swarm?: Partial<OpenSwarmSettings>;
  readonly network?: 'public' | 'private';
}

/** Store, swarm and transfers of one station, as the product composes them, without doors. */
export interface TransferStation extends AsyncDisposable {
  readonly root: string;
  readonly id: string;
  readonly components: TransferComponents;
  readonly store: Store;
  readonly swarm: Swarm;
  /** What the transfers told the user. */
  readonly notes: string[];
  /** What is set here counts from the next transfer on. */
  readonly settings: { -readonly [Key in keyof TransferSettings]: TransferSettings[Key] };
  push(archive: Uint8Array | Readable, options?: Partial<PushOptions>): Promise<PushOutcome>;
  pull(reference: string, options?: Partial<PullOptions>): Promise<PullOutcome>;
  verify(record: ImageRecord): Promise<ImageVerification>;
  exportFile(record: ImageRecord, format: ExportFormat, manifest?: ManifestRecord): Promise<Buffer>;
  connect(other: TransferStation): Promise<void>;
  /** Stops all and starts anew on the same root, under the same identity. */
  restart(): Promise<void>;
}

export async function transferStation(options: StationOptions = {}): Promise<TransferStation> {
  const folder = tempFolder('transfer');
  const identity = makeIdentity();
  const { networkKey, ...publicSettings } = swarmSettings;
  const swarm = {
    ...publicSettings,
    ...(options.network === 'public' || networkKey === undefined ? {} : { networkKey }),
    ...options.swarm,
  };

  const settings: { -readonly [Key in keyof TransferSettings]: TransferSettings[Key] } = {
    ...testTransferSettings,
    ...options.transfer,
    root: folder.path,
  };

  async function start(): Promise<TransferComponents> {
    const store = await openTestStore(folder.path);
    const components = { store, logger: silentLogger, clock: systemClock };
    return { ...components, swarm: await openSwarm({ ...components, identity, random: Math.random }, swarm) };
  }
  async function stop(): Promise<void> {
    await components.swarm.stop();
    await components.store.close();
  }
  let components = await start();
  const notes: string[] = [];
  const report = {
    onProgress: (event: Parameters<PullOptions['onProgress']>[0]) => {
      if (event.event === 'note') notes.push(event.text);
    },
    signal: AbortSignal.timeout(120_000),
  };

  return {
    root: folder.path,
    id: identity.peerId,
    notes,
    settings,
    get components() {
      return components;
    },
    get store() {
      return components.store;
    },
    get swarm() {
      return components.swarm;
    },
    push(archive, given = {}) {
      const stream = archive instanceof Readable ? archive : Readable.from(chunksOf(archive));
      return push(components, settings, stream, {
        argument: { text: './image.tar', by: 'file' },
        names: [],
        ...report,
        ...given,
      });
    },
    pull(reference, given = {}) {
      return pullWithBlobs(components, settings, {
        reference,
        blobs: false,
        cached: false,
        ...report,
        ...given,
      });
    },
    verify(record) {
      return verifyImage(components, settings, record, report);
    },
    async exportFile(record, format, manifest = record.manifests[0] as ManifestRecord) {
      const exported = exportImage(components.store, {
        record,
        manifests: [manifest],
        format,
        names: record.names,
        signal: report.signal,
      });
      const bytes = await buffer(exported.stream);
      if (bytes.length !== exported.size) throw new Error(`${bytes.length} bytes, said ${exported.size}`);
      return bytes;
    },
    async connect(other) {
      await components.swarm.connect(other.swarm.addrs()[0] as string, report.signal);
    },
    async restart() {
      await stop();
      components = await start();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      folder[Symbol.dispose]();
    },
  };
}

/** Two stations of one private network that are connected. */
export async function twoStations(
  options: StationOptions = {},
): Promise<AsyncDisposable & { a: TransferStation; b: TransferStation }> {
  const a = await transferStation(options);
  const b = await transferStation(options);
  await b.connect(a);
  return {
    a,
    b,
    async [Symbol.asyncDispose]() {
      await b[Symbol.asyncDispose]();
      await a[Symbol.asyncDispose]();
    },
  };
}

export function* chunksOf(bytes: Uint8Array, size = 65_536): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Nothing is pinned, and a sweep leaves nothing on disk. */
export async function expectEmpty({ store }: Pick<TransferStation, 'store'>): Promise<void> {
  expect([...store.images.all()]).toEqual([]);
  // what is still on its way to disk when a transfer fails goes with a later sweep
  await store.objects.flush();
  await store.gc({ interrupted: true });
  expect(store.usage()).toEqual({
    objects: 0,
    objectBytes: 0,
    partialBytes: 0,
    blocks: 0,
    blockBytes: 0,
  });
}

/** Forgets every image and gives the disk back. */
export async function clear(station: Pick<TransferStation, 'store'>): Promise<void> {
  for (const { root } of [...station.store.images.all()]) await station.store.images.remove(root);
  await expectEmpty(station);
}
