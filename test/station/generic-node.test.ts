import { join } from 'node:path';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { withBitswap } from '@helia/bitswap';
import { withLibp2pLight } from '@helia/libp2p';
import { unixfs } from '@helia/unixfs';
import { identify } from '@libp2p/identify';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { MemoryBlockstore } from 'blockstore-core';
import { MemoryDatastore } from 'datastore-core';
import { createHeliaLight } from 'helia';
import { CID } from 'multiformats/cid';
import type { PullResult, PushResult } from '../../src/observe/control/views.ts';
import { writeGeneratedArchive } from './support/generated-image.ts';
import { verifiedImages } from './support/image-check.ts';
import { stationGroup } from './support/station-process.ts';

const group = stationGroup('generic');

/** An IPFS node without a line of ours: Helia with bitswap over TCP, noise and yamux. */
const startNode = () =>
  withBitswap(
    withLibp2pLight(
      createHeliaLight({ blockstore: new MemoryBlockstore(), datastore: new MemoryDatastore() }),
      {
        addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        services: { identify: identify(), ping: ping() },
      },
    ),
  ).start();

let node: Awaited<ReturnType<typeof startNode>>;
beforeAll(async () => {
  node = await startNode();
}, 60_000);
afterAll(async () => {
  await node?.stop();
  await group.end();
});

it('a generic IPFS node pins an image, and gives it to a cold station when the source is gone', async () => {
  const archive = join(group.folder, 'image.tar');
  await writeGeneratedArchive(archive, {
    layers: [
      { seed: 'one', files: 30, bytes: 3000 },
      // Of several blocks each.
      { seed: 'two', files: 4, bytes: 900_000, halfText: true },
    ],
    names: ['hello:1'],
  });
  const [source, cold] = await Promise.all([group.start('source'), group.start('cold')]);
  const { address, publishedRoot } = await source.json<PushResult>(['push', archive]);
  await node.libp2p.dial(multiaddr(await source.addr()));
  let pinned = 0;
  for await (const _ of node.pins.add(CID.parse(publishedRoot), { signal: AbortSignal.timeout(120_000) })) {
    pinned++;
  }
  expect(pinned).toBeGreaterThan(34);
  await source.stop();

  // The tree is there to browse for people who have never heard of shp.
  const files = unixfs(node);
  const names: string[] = [];
  for await (const { name } of files.ls(CID.parse(publishedRoot), { path: 'hello:1' })) names.push(name);
  expect(names).toEqual(['manifests']);

  const addr = node.libp2p.getMultiaddrs()[0]?.toString() as string;
  await cold.ok(['connect', addr]);
  const { totals } = await cold.json<PullResult>(['pull', '--store-only', address]);
  expect(totals.here).toBe(0);
  expect((await verifiedImages(cold)).map(({ publishedRoots }) => publishedRoots)).toEqual([[publishedRoot]]);
}, 180_000);
