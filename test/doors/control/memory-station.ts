import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Fault } from '../../../src/base/fault.ts';
import type { ControlService, OperationCall } from '../../../src/doors/control/control-service.ts';
import type { ExportRequest, PushRequest } from '../../../src/observe/control/requests.ts';
import type {
  ImageDetail,
  ManifestSummary,
  PullResult,
  PushResult,
} from '../../../src/observe/control/views.ts';

import { createMemoryMounts, type MemoryMounts, type MemoryMountsOptions } from './memory-mounts.ts';

export const PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';
export const ROOT = 'QmNsF3nR6kTz3PnKWH1uZP97ESYsLP9uJVqV9EpNfzRKSk';
export const IMAGE_ROOT = 'bafybeibxsa3ioclowpaq7b6gxl65gzqneopfr3fnhedak6sqr4bjz5lnyq';
export const IMAGE_ID = `sha256:c1d9bf8d8844${'0'.repeat(52)}` as const;

export const MANIFEST: ManifestSummary = {
  root: 'bafybeigllfqgfpqydppr6cmv56g7ax4wyhruzswvcefv6j5kj77nzttfki',
  digest: `sha256:${'d'.repeat(64)}`,
  imageId: IMAGE_ID,
  platform: 'linux/amd64',
};

export const IMAGE: ImageDetail = {
  root: IMAGE_ROOT,
  publishedRoots: [ROOT],
  names: ['jbenet/go-ipfs:latest', 'jbenet/go-ipfs'],
  manifests: [MANIFEST],
  state: 'pinned',
  shared: true,
  copies: 2,
  origin: 'push',
  contentSize: 123_456_789,
  keptBlobs: 0,
  keptBlobBytes: 0,
  createdAt: 0,
  usedAt: 0,
  layers: [
    {
      platform: 'linux/amd64',
      index: 0,
      digest: `sha256:${'e'.repeat(64)}`,
      diffId: `sha256:${'e'.repeat(64)}`,
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      size: 125_000_000,
      root: 'bafybeihqwzd3o6q6v3pmwhzjy22vokhr767burokmqemg63hptx2nqd7ym',
      tarSize: 125_000_000,
      entries: 9876,
    },
  ],
};

const TOTALS = { bytes: 300, here: 100, moved: 200, seconds: 1.5 };
const ADDR = '/ip4/127.0.0.1/tcp/4001/p2p/';

export interface MemoryStation extends ControlService {
  /** What `mount` and `unmount` were asked. */
  readonly mountsAsked: MemoryMounts['asked'];
  /** sha256 of every tar that was pushed to its end. */
  readonly pushed: string[];
  /** The last tar of them, and how it was asked for. */
  received(): { readonly request: PushRequest; readonly archive: Buffer };
  /** What exports were asked for. */
  readonly exports: ExportRequest[];
  /** Names of operations whose signal aborted. */
  readonly aborted: string[];
  /** Resolves when the next operation has begun. */
  begun(): Promise<void>;
}

export interface MemoryStationOptions {
  readonly onStop?: () => void;
  readonly root?: string;
  /** What `export` of any image gives. */
  readonly exported?: () => Readable;
  readonly network?: 'public' | 'private';
  /** What a pull answers with. */
  readonly pulled?: Partial<PullResult>;
  /** What serves mounts, and how far the image is. */
  readonly mounts?: Pick<MemoryMountsOptions, 'server' | 'lazy'>;
}

/** A station without store and swarm: what the door and the command line are tested against. */
export function createMemoryStation(options: MemoryStationOptions = {}): MemoryStation {
  const trusted: string[] = [];
  const connected: string[] = [];
  const pushed: string[] = [];
  const aborted: string[] = [];
  const exports: ExportRequest[] = [];
  let received: { request: PushRequest; archive: Buffer } | undefined;
  const network = options.network ?? 'public';
  const { names, root: imageRoot } = IMAGE;
  const { asked: mountsAsked, ...mounts } = createMemoryMounts({
    image: {
      imageRoot,
      manifestRoot: MANIFEST.root,
      imageId: MANIFEST.imageId,
      platform: MANIFEST.platform,
      names,
    },
    address: (reference) => `/ipfs/${ROOT}/${names.includes(reference) ? reference : 'c1d9bf8d8844'}`,
    peer: PEER,
    ...options.mounts,
  });
  const networkView = {
    kind: network,
    lanOnly: false,
    ...(network === 'private' ? { fingerprint: '1a2b3c4d' } : {}),
    refusals: [],
  };
  let announce = () => {};
  let removed = false;

  const images = () => (removed ? [] : [IMAGE]);
  const find = (image: string) => {
    const known = [IMAGE_ROOT, ROOT, ...IMAGE.names];
    if (!removed && (known.includes(image) || IMAGE_ID.startsWith(`sha256:${image}`))) return IMAGE;
    throw new Fault('not-found', 'unknown-image', `no image ${image} is here`, { fields: { image } });
  };
  /** Waits until the operation's signal aborts, as a real one would that has nothing to do. */
  const hang = (name: string, { signal }: { signal: AbortSignal }) => {
    announce();
    return new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        aborted.push(name);
        reject(signal.reason);
      });
    });
  };
  const report = ({ onProgress }: OperationCall) => {
    onProgress({
      event: 'layer',
      index: 0,
      name: '8d3ac3489996',
      phase: 'reading',
      bytes: 0,
      total: 300,
      here: 0,
    });
    onProgress({ event: 'note', text: 'a note' });
    onProgress({
      event: 'layer',
      index: 0,
      name: '8d3ac3489996',
      phase: 'done',
      bytes: 300,
      total: 300,
      here: 100,
    });
    onProgress({
      event: 'total',
      bytes: 300,
      total: 300,
      here: 100,
      moved: 200,
      rate: 1e6,
      peers: 2,
      eta: 0,
    });
  };

  return {
    ...mounts,
    mountsAsked,
    pushed,
    aborted,
    exports,
    received: () => {
      if (received === undefined) throw new Error('nothing was pushed');
      return received;
    },
    begun: () =>
      new Promise((resolve) => {
        announce = resolve;
      }),
    status: async () => ({
      version: '0.1.0',
      peerId: PEER,
      root: options.root ?? '/var/lib/shp',
      pid: process.pid,
      startedAt: Date.now(),
      network: networkView,
      share: 'pushed',
      addrs: [`${ADDR}${PEER}`],
      peers: connected.length,
      stations: connected.length,
      images: images().length,
      usage: { objects: 10, objectBytes: 1000, partialBytes: 0, blocks: 5, blockBytes: 500 },
      memory: 50_000_000,
      operations: [],
      mounts: await mounts.mounts(),
    }),
    stop: async ({ all, force }) => {
      const targets = mounts.targets();
      if (all === true && force !== true && targets.length > 0) {
        throw new Fault('busy', 'mounts-in-use', `mounted at ${targets.join(', ')}: umount, or --force`, {
          fields: { mounts: targets },
        });
      }
      const unmounted = all === true ? mounts.end().map((target) => ({ target })) : [];
      options.onStop?.();
      return { pid: process.pid, left: mounts.targets(), unmounted };
    },
    addrs: async () => [`${ADDR}${PEER}`],
    peers: async () =>
      connected.map((addr) => ({
        id: addr.split('/').at(-1) as string,
        addr,
        direction: 'outbound' as const,
        station: true,
        trusted: false,
        received: 0,
        sent: 0,
      })),
    connect: async (addr, signal) => {
      if (addr === 'hang') return hang('connect', { signal });
      const peer = /\/(?:p2p|ipfs)\/(\w+)$/.exec(addr)?.[1];
      if (peer === undefined)
        throw new Fault('invalid', 'bad-addr', `${addr} names no peer`, { fields: { addr } });
      connected.push(addr);
      return { peer };
    },
    network: async () => networkView,
    trustList: async () => trusted,
    trustAdd: async (peer) => {
      if (trusted.includes(peer)) throw new Fault('exists', 'already-trusted', `${peer} is trusted already`);
      trusted.push(peer);
      return trusted;
    },
    trustRemove: async (peer) => {
      const at = trusted.indexOf(peer);
      if (at === -1) throw new Fault('not-found', 'not-trusted', `${peer} is not trusted`);
      trusted.splice(at, 1);
      return trusted;
    },
    images: async () => images(),
    inspect: async (image) => find(image),
    remove: async (image) => {
      const { root, names } = find(image);
      removed = true;
      return { root, names, notes: ['no other station is known to hold it'] };
    },
    gc: async () => ({ objects: 3, blocks: 4, bytes: 5_000_000, heldBytes: 0 }),
    verify: async (image, call) => {
      const { root } = find(image);
      report(call);
      const problems = image === 'jbenet/go-ipfs:latest' ? ['layer 0: another diffID'] : [];
      return { root, layers: 1, objects: 10, bytes: 300, problems };
    },
    push: async (archive, request, call) => {
      if (request.argument.endsWith('hang.tar')) return hang('push', call);
      if (request.argument.endsWith('refused.tar')) {
        throw new Fault('corrupt', 'bad-archive', 'the archive is no archive', {
          fields: { argument: request.argument },
        });
      }
      announce();
      report(call);
      const chunks: Buffer[] = [];
      for await (const chunk of archive) chunks.push(chunk);
      received = { request, archive: Buffer.concat(chunks) };
      pushed.push(createHash('sha256').update(received.archive).digest('hex'));
      const path = request.by === 'name' ? request.argument : 'c1d9bf8d8844';
      const result: PushResult = {
        address: `/ipfs/${ROOT}/${path}`,
        publishedRoot: ROOT,
        imageRoot: IMAGE_ROOT,
        manifests: [MANIFEST],
        names: request.names,
        network,
        addrs: [`/ip4/192.0.2.1/tcp/4001/p2p/${PEER}`],
        totals: TOTALS,
      };
      return result;
    },
    pull: async ({ reference }, call) => {
      if (reference === 'hang') return hang('pull', call);
      if (reference === 'internal') throw new Error('a defect');
      const { root, manifests, names } = find(reference);
      report(call);
      const path = names.includes(reference) ? reference : 'c1d9bf8d8844';
      const result: PullResult = {
        address: `/ipfs/${ROOT}/${path}`,
        imageRoot: root,
        manifests,
        names,
        blobsKept: false,
        totals: TOTALS,
        ...options.pulled,
      };
      return result;
    },
    export: async (request, signal) => {
      const { image } = request;
      exports.push(request);
      if (image === 'broken') {
        return {
          stream: Readable.from(
            (async function* () {
              yield Buffer.alloc(100_000);
              throw new Fault('corrupt', 'block-mismatch', 'a block is broken');
            })(),
          ),
        };
      }
      if (image !== options.pulled?.imageRoot) find(image);
      signal.throwIfAborted();
      const stream =
        options.exported?.() ?? Readable.from([Buffer.alloc(1024, 'x'), Buffer.alloc(1024, 'y')]);
      return options.exported === undefined ? { stream, size: 2048 } : { stream };
    },
    debugDag: async (cid) => ({
      cid,
      kind: 'directory',
      size: 93,
      links: [{ name: 'index', cid: MANIFEST.root, tsize: 300_000 }],
    }),
    debugLayer: async (cid) => ({
      root: cid,
      entries: 2,
      objects: 1,
      indexBytes: 200,
      recipeBytes: 2048,
      lines: ['d 0755 0:0 0 /', '- 0644 0:0 5 /a'],
      truncated: false,
    }),
  };
}
