import type { Readable } from 'node:stream';
import { Fault } from '../../../src/base/fault.ts';
import type { OperationCall } from '../../../src/doors/control/control-service.ts';
import type {
  LazyImageView,
  MountServerView,
  MountView,
  PrepareResult,
  ProfileView,
} from '../../../src/observe/control/mount-views.ts';
import type { MountRequest, UnmountRequest } from '../../../src/observe/control/requests.ts';
import type { MountCalls } from '../../../src/station/mount-calls.ts';

export interface MemoryMountsOptions {
  /** CIDs, names and id of the one image that can be mounted. */
  readonly image: Pick<PrepareResult, 'imageRoot' | 'manifestRoot' | 'imageId' | 'names' | 'platform'>;
  readonly address: (reference: string) => string;
  readonly peer: string;
  readonly server?: Partial<MountServerView>;
  /** How far the image is. */
  readonly lazy?: Partial<LazyImageView>;
}

export interface MemoryMounts extends MountCalls {
  readonly asked: (MountRequest | UnmountRequest)[];
  /** Unmounts all and answers what it was. */
  end(): string[];
  targets(): string[];
}

/** Mounts without a kernel: what the door and the command line are tested against. */
export function createMemoryMounts({ image, address, peer, ...options }: MemoryMountsOptions): MemoryMounts {
  const all = new Map<string, MountView>();
  const asked: (MountRequest | UnmountRequest)[] = [];
  const content = Buffer.from('a start-up profile');
  let profile: ProfileView | undefined = {
    manifestRoot: image.manifestRoot,
    source: 'recorded',
    profile: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
    ranges: 450,
    bytes: 12_300_000,
    runs: 2,
  };
  const lazy: LazyImageView = {
    manifestRoot: image.manifestRoot,
    imageRoot: image.imageRoot,
    names: image.names,
    bytes: 300_000_000,
    here: 45_000_000,
    state: 'fetching',
    byPeer: { [peer]: 45_000_000 },
    profile: 'used',
    wireBytes: 20_000_000,
    ...options.lazy,
  };
  const server: MountServerView = {
    keeper: 101,
    mountServer: 102,
    restarts: 0,
    memory: 60_000_000,
    protocol: '7.45',
    passthrough: true,
    resend: true,
    ...options.server,
  };
  const mode = server.passthrough ? ('passthrough' as const) : ('read' as const);
  const modeWhy = server.passthroughWhy === undefined ? {} : { modeWhy: server.passthroughWhy };
  const find = (reference: string) => {
    const { names, imageId, imageRoot } = image;
    if (names.includes(reference) || imageId.startsWith(`sha256:${reference}`) || reference === imageRoot) {
      return;
    }
    throw new Fault('not-found', 'unknown-image', `no image ${reference} is here`, {
      fields: { image: reference },
    });
  };
  const prepared = (reference: string): PrepareResult => {
    if (reference === 'forged') {
      throw new Fault(
        'denied',
        'untrusted-image',
        'forged: nobody who is trusted has it; give --from <peer>',
      );
    }
    find(reference);
    const { imageRoot, manifestRoot, imageId, platform, names } = image;
    const { bytes, here, profile: used } = lazy;
    const complete = bytes === here;
    return {
      ...{ address: address(reference), imageRoot, manifestRoot, imageId, platform, names },
      ...{ complete, bytes, here, profile: used },
    };
  };
  const known = (reference: string): ProfileView => {
    find(reference);
    if (profile === undefined) throw new Fault('not-found', 'no-profile', 'no start-up profile is known');
    return profile;
  };
  const reads = { waited: 12, waitP50: 21.4, waitP99: 83.2, waiting: 0, failed: 0 };

  return {
    asked,
    targets: () => [...all.keys()],
    end: () => {
      const ended = [...all.keys()];
      all.clear();
      return ended;
    },
    async prepare({ reference }, { onProgress }: OperationCall) {
      const result = prepared(reference);
      onProgress({ event: 'note', text: 'asking 1 peer' });
      return result;
    },
    async mount(request) {
      asked.push(request);
      const { target, writable = false, suid = false, dev = false } = request;
      const result = prepared(request.reference);
      if (all.has(target)) throw new Fault('exists', 'already-mounted', `${target} is a mount already`);
      const upper = writable ? { upper: '/var/lib/shp/uppers/1/upper' } : {};
      const counts = { ...reads, passthroughOpens: 340, readOpens: 3 };
      const mounted = { target, writable, ...upper, mode, ...modeWhy };
      all.set(target, { ...mounted, image: lazy, mountedAt: 0, suid, dev, reads: counts });
      return { ...result, ...mounted };
    },
    async unmount(request) {
      asked.push(request);
      const { target, keep } = request;
      const found = all.get(target);
      if (found === undefined) {
        throw new Fault('not-found', 'not-mounted', `nothing of shp is mounted at ${target}`);
      }
      if (target.endsWith('busy') && request.lazy !== true) {
        throw new Fault('busy', 'mount-in-use', `${target} is in use: end what uses it, or give --lazy`);
      }
      all.delete(target);
      const { upper } = found;
      if (upper === undefined) return { target };
      return keep === true ? { target, kept: upper } : { target, removed: upper };
    },
    mounts: async () => ({
      ...(all.size === 0 ? {} : { server }),
      mounts: [...all.values()],
      lazy: all.size === 0 ? [] : [lazy],
    }),
    profile: async (request) => known(request.image),
    profileExport: async ({ image: reference }) => ({
      manifestRoot: known(reference).manifestRoot,
      content: content.toString('base64'),
    }),
    async profileImport(file: Readable, { image: reference }) {
      find(reference);
      const chunks: Buffer[] = [];
      for await (const chunk of file) chunks.push(chunk);
      if (!Buffer.concat(chunks).equals(content)) {
        throw new Fault('corrupt', 'bad-profile', 'the file is no start-up profile');
      }
      profile = { ...(profile as ProfileView), source: 'imported' };
      return profile;
    },
    async profileForget({ image: reference }) {
      const forgotten = known(reference);
      profile = undefined;
      return forgotten;
    },
    debugFuse: async () => ({
      server,
      chains: [
        {
          key: image.manifestRoot,
          mounts: all.size,
          complete: false,
          ...reads,
          passthroughOpens: 340,
          readOpens: 3,
        },
      ],
      operations: { LOOKUP: 1200, OPEN: 343 },
      trace: ['12 LOOKUP node 1 bin -> entry 4294967298'],
    }),
  };
}
