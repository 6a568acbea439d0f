import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { withBitswap } from '@helia/bitswap';
import { withLibp2pLight } from '@helia/libp2p';
import { identify } from '@libp2p/identify';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { MemoryBlockstore } from 'blockstore-core';
import { MemoryDatastore } from 'datastore-core';
import { createHeliaLight } from 'helia';
import { CID } from 'multiformats/cid';
import { sha256 } from '../../../src/base/digest.ts';
import { rawCid } from '../../../src/image/dag/file-dag.ts';
import { bytesOf } from '../../store/store-fixture.ts';
import { publicStation, publish, soon } from '../resolve/test-swarm.ts';

/** A node with none of our code: what a foreign IPFS user runs, kept to loopback. */
async function foreignNode() {
  const helia = withBitswap(
    withLibp2pLight(
      createHeliaLight({ blockstore: new MemoryBlockstore(), datastore: new MemoryDatastore() }),
      {
        addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        services: { identify: identify() },
      },
    ),
  );
  await helia.start();
  return {
    helia,
    addr: helia.libp2p.getMultiaddrs()[0]?.toString() ?? '',
    async [Symbol.asyncDispose]() {
      await helia.stop();
    },
  };
}

async function bytesFrom(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Uint8Array | Promise<Uint8Array>,
) {
  const value = await source;
  if (value instanceof Uint8Array) return Buffer.from(value);
  const chunks: Uint8Array[] = [];
  for await (const chunk of value) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('bitswap', () => {
  it('serves a foreign IPFS node what is shared, and nothing else', async () => {
    await using station = await publicStation();
    await using foreign = await foreignNode();
    const shared = await publish(station, 1);
    const hidden = await publish(station, 2, { shared: false });
    await foreign.helia.libp2p.dial(multiaddr(station.addr));
    for (const { cid, bytes } of shared.blocks) {
      const got = await bytesFrom(foreign.helia.blockstore.get(cid, { signal: soon() }));
      expect(got.equals(Buffer.from(bytes))).toBe(true);
    }
    const [file] = shared.files as [Buffer];
    const got = await bytesFrom(foreign.helia.blockstore.get(rawCid(sha256(file)), { signal: soon() }));
    expect(got.equals(file)).toBe(true);
    const wanted = CID.parse(hidden.record.root);
    await expect(
      bytesFrom(foreign.helia.blockstore.get(wanted, { signal: AbortSignal.timeout(1000) })),
    ).rejects.toThrow();
  });

  it('fetches a block that only a foreign node has', async () => {
    await using station = await publicStation();
    await using foreign = await foreignNode();
    const bytes = bytesOf(9, 262_144);
    const cid = rawCid(sha256(bytes));
    await foreign.helia.blockstore.put(cid, bytes);
    await station.swarm.connect(foreign.addr, soon());
    expect(station.swarm.peers()).toMatchObject([{ station: false }]);
    const got = await station.swarm.fetcher.block(cid, { signal: soon() });
    expect(Buffer.from(got).equals(bytes)).toBe(true);
  });

  it('gives up on a block that nobody has, when it is told to', async () => {
    await using station = await publicStation();
    await using foreign = await foreignNode();
    await station.swarm.connect(foreign.addr, soon());
    const abort = new AbortController();
    const block = station.swarm.fetcher.block(rawCid(sha256(Buffer.from('nowhere'))), {
      signal: abort.signal,
    });
    block.catch(() => {});
    setTimeout(() => abort.abort(), 200);
    await expect(block).rejects.toMatchObject({ kind: 'cancelled' });
  });
});
