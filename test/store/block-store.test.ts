import { CID } from 'multiformats/cid';
import { create as multihash } from 'multiformats/hashes/digest';
import { sha256 } from '../../src/base/digest.ts';
import { fileDag, rawCid } from '../../src/image/dag/file-dag.ts';
import { bytesOf, leavesOf, writeObject } from './store-fixture.ts';
import { suiteStore } from './suite-store.ts';

const CHUNK = 262_144;
const shared = { sharedOnly: true };

describe('blocks', () => {
  const { store, reopen } = suiteStore('blocks');

  it.each([
    ['random', bytesOf(1, 5000)],
    ['compressible', Buffer.from('drwxr-xr-x root '.repeat(20_000))],
    ['empty', Buffer.alloc(0)],
    ['of 1 MiB', bytesOf(2, 1024 * 1024)],
  ])('keeps a block that is %s, at once and after opening again', async (_name, bytes) => {
    const lease = store.lease('push');
    const cid = rawCid(sha256(bytes));
    expect(store.blocks.has(cid)).toBe(false);
    store.blocks.put(lease, cid, bytes);
    const check = async (): Promise<void> => {
      expect(store.blocks.has(cid)).toBe(true);
      expect(store.blocks.size(cid)).toBe(bytes.length);
      expect(Buffer.compare(store.blocks.getSync(cid) as Uint8Array, bytes)).toBe(0);
      expect(Buffer.compare((await store.blocks.get(cid)) as Uint8Array, bytes)).toBe(0);
    };
    await check();
    await store.objects.flush(lease);
    await check();
    lease.end();
    await reopen();
    await check();
    expect(store.usage()).toMatchObject({ blocks: 1, objects: 0 });
  });

  it('stores text much smaller than it is', async () => {
    const lease = store.lease('push');
    const bytes = Buffer.from('drwxr-xr-x root '.repeat(20_000));
    store.blocks.put(lease, rawCid(sha256(bytes)), bytes);
    expect(store.usage().blockBytes).toBeLessThan(bytes.length / 50);
    lease.end();
  });

  it('does not keep the caller’s buffer', async () => {
    const lease = store.lease('push');
    const bytes = bytesOf(3, 300);
    const cid = rawCid(sha256(bytes));
    store.blocks.put(lease, cid, bytes);
    bytes.fill(0);
    await store.objects.flush(lease);
    expect(sha256(store.blocks.getSync(cid) as Uint8Array).equals(cid.multihash.digest)).toBe(true);
    lease.end();
  });

  it('takes only what hashes to its CID, in a form that can be here', () => {
    const lease = store.lease('push');
    const cid = rawCid(sha256(Buffer.from('a')));
    expect(() => store.blocks.put(lease, cid, Buffer.from('b'))).toThrow(
      expect.objectContaining({ kind: 'corrupt', code: 'block-mismatch' }),
    );
    const identity = CID.createV1(0x55, multihash(0x00, Buffer.from('foo')));
    expect(store.blocks.has(identity)).toBe(false);
    expect(store.blocks.getSync(identity)).toBeUndefined();
    expect(() => store.blocks.put(lease, identity, Buffer.from('foo'))).toThrow(
      expect.objectContaining({ code: 'bad-block' }),
    );
    lease.end();
  });

  it('answers every leaf and inner node of an object, at once and after a flush', async () => {
    const lease = store.lease('push');
    const bytes = bytesOf(4, 175 * CHUNK + 9);
    const { cid } = writeObject(store, lease, bytes);
    const dag = fileDag(bytes.length, leavesOf(bytes) as Uint8Array);
    expect(dag.nodes).toHaveLength(3);
    const check = async (): Promise<void> => {
      for (const node of dag.nodes) {
        expect(store.blocks.has(node.cid)).toBe(true);
        expect(Buffer.compare((await store.blocks.get(node.cid)) as Uint8Array, node.bytes)).toBe(0);
        expect(store.blocks.size(node.cid)).toBe(node.bytes.length);
      }
      for (const leaf of [0, 100, 175]) {
        const content = bytes.subarray(leaf * CHUNK, (leaf + 1) * CHUNK);
        const leafCid = rawCid(sha256(content));
        expect(store.blocks.size(leafCid)).toBe(content.length);
        expect(Buffer.compare((await store.blocks.get(leafCid)) as Uint8Array, content)).toBe(0);
        expect(await store.blocks.get(leafCid, shared)).toBeUndefined();
      }
    };
    await store.objects.read(cid, 0, 1);
    await check();
    await store.objects.flush(lease);
    await check();
    lease.end();
  });

  it('answers a leaf through any object that is shared', async () => {
    const leaf = bytesOf(5, CHUNK);
    const leafCid = rawCid(sha256(leaf));
    const hidden = store.lease('push');
    writeObject(store, hidden, Buffer.concat([leaf, bytesOf(6, 10)]));
    await store.objects.flush(hidden);
    expect(store.blocks.has(leafCid)).toBe(true);
    expect(store.blocks.size(leafCid, shared)).toBeUndefined();
    const open = store.lease('push', { shared: true });
    writeObject(store, open, Buffer.concat([bytesOf(7, CHUNK), leaf, bytesOf(8, CHUNK)]));
    await store.objects.flush(open);
    expect(store.blocks.size(leafCid, shared)).toBe(CHUNK);
    expect(Buffer.compare(store.blocks.getSync(leafCid, shared) as Uint8Array, leaf)).toBe(0);
    hidden.end();
    open.end();
  });

  it('shares what a sharing lease sees', async () => {
    const lease = store.lease('push');
    const file = bytesOf(9, 100);
    const { cid } = writeObject(store, lease, file);
    const block = bytesOf(10, 100);
    const blockCid = rawCid(sha256(block));
    store.blocks.put(lease, blockCid, block);
    expect([store.blocks.size(cid, shared), store.blocks.size(blockCid, shared)]).toEqual([
      undefined,
      undefined,
    ]);
    const sharing = store.lease('push', { shared: true });
    sharing.see(cid);
    store.blocks.put(sharing, blockCid, block);
    expect([store.blocks.size(cid, shared), store.blocks.size(blockCid, shared)]).toEqual([100, 100]);
    await store.objects.flush();
    expect([store.blocks.size(cid, shared), store.blocks.size(blockCid, shared)]).toEqual([100, 100]);
    lease.end();
    sharing.end();
  });
});
