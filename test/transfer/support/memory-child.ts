/**
 * Pushes an archive that is made on the way, exports the image, and prints one line of JSON: resident bytes at the
 * start, at most, and what was moved. Arguments: count of files, bytes of each.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { systemClock } from '../../../src/base/clock.ts';
import { makeIdentity } from '../../../src/config/identity-file.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { defaultStoreSettings } from '../../../src/store/store-settings.ts';
import { openSwarm } from '../../../src/swarm/open-swarm.ts';
import { defaultSwarmSettings } from '../../../src/swarm/swarm-settings.ts';
import { exportImage } from '../../../src/transfer/export.ts';
import { push } from '../../../src/transfer/push.ts';
import { rawEntry, rawHeader } from '../../support/raw-tar.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { generatedLayer, layerSize } from './generated-archive.ts';
import { testTransferSettings } from './transfer-settings.ts';

const [count, size] = process.argv.slice(2).map(Number) as [number, number];
const signal = AbortSignal.timeout(600_000);
function* archive(): Generator<Buffer> {
  yield rawEntry(
    { name: 'manifest.json' },
    JSON.stringify([{ Config: 'c.json', RepoTags: null, Layers: ['l.tar'] }]),
  );
  yield rawEntry({ name: 'c.json' }, config);
  yield rawHeader({ name: 'l.tar', size: layerSize(count, size) });
  yield* generatedLayer(count, size);
  yield Buffer.alloc(1024);
}

using folder = tempFolder('memory');
const parts = { logger: silentLogger, clock: systemClock };
const store = await openStore(folder.path, parts, { ...defaultStoreSettings, sweepDelayMs: 3_600_000 });
const swarm = await openSwarm(
  { ...parts, store, identity: makeIdentity(), random: Math.random },
  {
    ...defaultSwarmSettings,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    mdns: false,
    natTraversal: false,
    networkKey: Buffer.alloc(32, 1),
    fetch: { windowBytes: 1, waitMs: 1, treeMaxBytes: 1, compress: 'auto' },
    serve: { uploadLimit: 0 },
  },
);
const start = process.memoryUsage.rss();
const hash = createHash('sha256');
for (const piece of generatedLayer(count, size)) hash.update(piece);
const diffId = `sha256:${hash.digest('hex')}`;
const config = JSON.stringify({
  os: 'linux',
  architecture: 'amd64',
  rootfs: { type: 'layers', diff_ids: [diffId] },
});
let most = start;
const watch = setInterval(() => {
  most = Math.max(most, process.memoryUsage.rss());
}, 20);
const { record, totals } = await push(
  { ...parts, store, swarm },
  { ...testTransferSettings, root: folder.path },
  Readable.from(archive()),
  { argument: { text: 'x', by: 'file' }, names: [], onProgress: () => {}, signal },
);
const pushed = most;
let exported = 0;
for await (const piece of exportImage(store, {
  record,
  manifests: [record.manifests[0]!],
  format: 'docker-archive',
  names: [],
  signal,
}).stream) {
  exported += (piece as Buffer).length;
}
clearInterval(watch);
await swarm.stop();
await store.close();
process.stdout.write(`${JSON.stringify({ start, pushed, most, bytes: totals.bytes, exported })}\n`);
