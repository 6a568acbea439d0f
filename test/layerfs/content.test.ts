import { mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { attachSharedLeaves } from '../../src/layerfs/shared-leaves.ts';
import { storeLayout } from '../../src/store/store-layout.ts';
import { pattern } from '../fuse/contract-tree.ts';
import { type FrameView, openFrameView } from '../fuse/frame-view.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { chainRecord, type ServedLayers, type ServeOptions, serveLayers } from './served-layers.ts';
import { hashOf, type StoredEntry, storeLayer, storeLeaves, storeObject } from './stored-layers.ts';

const LEAF = 262_144;
const SMALL = pattern(300_000);
const LARGE = pattern(20 * LEAF - 7);
const ENTRIES: StoredEntry[] = [
  { type: 'file', path: 'empty' },
  { type: 'file', path: 'small', content: SMALL },
  { type: 'file', path: 'dir/large', content: LARGE },
];
const cidOf = (bytes: Uint8Array) => hashOf(bytes).cid.toString();

let folder: ReturnType<typeof tempFolder>;
let now = 0;
beforeEach(() => {
  folder = tempFolder('content');
  now = 0;
});
afterEach(() => folder[Symbol.dispose]());

interface Served extends ServedLayers {
  readonly view: FrameView;
}
function serve(objects: boolean, options: ServeOptions = {}, recording = false): Served {
  const clock = { now: () => 1_800_000_000_000 + now, monotonic: () => now };
  const served = serveLayers(folder.path, { clock, ...options });
  served.layerfs.passthrough(true);
  served.command({
    do: 'add',
    chain: chainRecord([storeLayer(folder.path, ENTRIES, objects)], { recording }),
  });
  return { ...served, view: openFrameView(served.layerfs.filesystem) };
}
const node = ({ view }: Served, path: string) => view.nodeOf(`t/chain/${path}`);
function open(served: Served, path: string) {
  const { body } = served.view.ask('OPEN', node(served, path));
  return { handle: Number(body!['handle']), backingId: Number(body!['backingId']) };
}
function read(served: Served, path: string, handle: number, offset: number, size: number): Buffer {
  return Buffer.from(served.view.ask('READ', node(served, path), { handle, offset, size }).bytes);
}
/** A request that is not answered now. */
function pends(served: Served, name: 'OPEN' | 'READ', path: string, body: Record<string, number> = {}): void {
  expect(() => served.view.ask(name, node(served, path), body)).toThrow('0 replies');
}
const close = (served: Served, path: string, handle: number) =>
  served.view.ask('RELEASE', node(served, path), { handle });

/** The one open that is waited for. */
function wantedOpen(served: Served) {
  const [event, ...more] = served.take('missing');
  expect(more).toEqual([]);
  const { answer, ...missing } = event!.missing;
  if (answer.kind !== 'open') throw new Error(answer.kind);
  return { ...missing, answer };
}

describe('opening a file', () => {
  it('gives an empty one no content', () => {
    const served = serve(false);
    const { handle, backingId } = open(served, 'empty');
    expect(backingId).toBe(0);
    expect(read(served, 'empty', handle, 0, 10)).toHaveLength(0);
    expect(served.events).toEqual([]);
  });

  it('lets the kernel read a complete one, with one id for all opens', () => {
    const served = serve(true);
    const ids = ['small', 'dir/large', 'small'].map((path) => open(served, path).backingId);
    expect(ids[0]).toBeGreaterThan(0);
    expect(ids[2]).toBe(ids[0]);
    expect(served.backing).toEqual(new Set(ids));
  });

  it('wants a small one whole, opens it in READ mode, then in passthrough', () => {
    const served = serve(false);
    pends(served, 'OPEN', 'small');
    const missing = wantedOpen(served);
    expect(missing).toMatchObject({
      chain: 'chain',
      layer: 0,
      cid: cidOf(SMALL),
      size: SMALL.length,
      first: 0,
      end: 2,
      path: '/small',
      answer: { kind: 'open' },
    });
    storeObject(folder.path, SMALL);
    attachSharedLeaves(missing.leaves!).whole = true;
    const { handle } = missing.answer;
    expect(Buffer.compare(read(served, 'small', handle, 5, 100_000), SMALL.subarray(5, 100_005))).toBe(0);
    // While that one is open in READ mode another one is, too.
    const second = open(served, 'small');
    expect(second.backingId).toBe(0);
    close(served, 'small', handle);
    expect(open(served, 'small').backingId).toBe(0);
    close(served, 'small', second.handle);
    close(served, 'small', second.handle + 2);
    expect(open(served, 'small').backingId).toBeGreaterThan(0);
  });

  it('does not count an open that was not handed over', () => {
    const served = serve(false);
    pends(served, 'OPEN', 'small');
    const missing = wantedOpen(served);
    served.command({ do: 'uncount', node: node(served, 'small'), handle: missing.answer.handle });
    storeObject(folder.path, SMALL);
    expect(open(served, 'small').backingId).toBeGreaterThan(0);
  });

  it('opens a large one at once, and wants only what is read', () => {
    const served = serve(false);
    const { handle, backingId } = open(served, 'dir/large');
    expect(backingId).toBe(0);
    pends(served, 'READ', 'dir/large', { handle, offset: 3 * LEAF - 1, size: 2 });
    expect(served.take('missing').map(({ missing }) => missing)).toMatchObject([
      { first: 2, end: 4, answer: { kind: 'read', offset: 3 * LEAF - 1, length: 2 }, path: '/dir/large' },
    ]);
  });

  it('reads leaves that are here out of the partial object, and finds more of them later', () => {
    const served = serve(false);
    storeLeaves(folder.path, LARGE, [0, 1, 19]);
    const { handle } = open(served, 'dir/large');
    expect(
      Buffer.compare(read(served, 'dir/large', handle, LEAF - 5, 10), LARGE.subarray(LEAF - 5, LEAF + 5)),
    ).toBe(0);
    expect(
      Buffer.compare(read(served, 'dir/large', handle, 19 * LEAF, LEAF), LARGE.subarray(19 * LEAF)),
    ).toBe(0);
    pends(served, 'READ', 'dir/large', { handle, offset: 2 * LEAF, size: 10 });
    storeLeaves(folder.path, LARGE, [0, 1, 2, 19]);
    // The marks are looked at again after half a second.
    pends(served, 'READ', 'dir/large', { handle, offset: 2 * LEAF, size: 10 });
    now += 501;
    expect(read(served, 'dir/large', handle, 2 * LEAF, 10)).toEqual(
      Buffer.from(LARGE.subarray(2 * LEAF, 2 * LEAF + 10)),
    );
  });

  it('goes on with a partial object that became complete while it was open', () => {
    const served = serve(false);
    storeLeaves(folder.path, LARGE, [0]);
    const { handle } = open(served, 'dir/large');
    expect(read(served, 'dir/large', handle, 0, 1)).toHaveLength(1);
    const layout = storeLayout(folder.path);
    writeFileSync(layout.partial(cidOf(LARGE)), LARGE);
    mkdirSync(dirname(layout.object(cidOf(LARGE))), { recursive: true });
    renameSync(layout.partial(cidOf(LARGE)), layout.object(cidOf(LARGE)));
    now += 501;
    expect(
      Buffer.compare(read(served, 'dir/large', handle, 9 * LEAF, LEAF), LARGE.subarray(9 * LEAF, 10 * LEAF)),
    ).toBe(0);
    expect(open(served, 'dir/large').backingId).toBe(0);
  });

  it('never reads holes where a partial object was removed and came again', () => {
    const served = serve(false);
    storeLeaves(folder.path, LARGE, [0, 1]);
    const { handle } = open(served, 'dir/large');
    read(served, 'dir/large', handle, 0, 1);
    const layout = storeLayout(folder.path);
    rmSync(layout.partial(cidOf(LARGE)));
    storeLeaves(folder.path, LARGE, [5]);
    now += 501;
    // Leaf 5 is asked for, the new file found: its marks alone count.
    expect(read(served, 'dir/large', handle, 5 * LEAF, 3)).toEqual(
      Buffer.from(LARGE.subarray(5 * LEAF, 5 * LEAF + 3)),
    );
    pends(served, 'READ', 'dir/large', { handle, offset: 0, size: 10 });
  });

  it('answers EIO where the file is shorter than its object', () => {
    const served = serve(true, {}, true);
    const { handle } = open(served, 'dir/large');
    truncateSync(storeLayout(folder.path).object(cidOf(LARGE)), 1000);
    expect(() => read(served, 'dir/large', handle, 5000, 10)).toThrow(
      expect.objectContaining({ code: 'EIO' }),
    );
    expect(served.log).toEqual([expect.stringContaining('/dir/large cannot be read')]);
  });

  it('reads many files with few of them open', () => {
    const files = [...Array(40).keys()].map(
      (n): StoredEntry => ({ type: 'file', path: `${n}`, content: `content ${n}` }),
    );
    const served = serveLayers(folder.path, { maxFiles: 3 });
    served.command({ do: 'add', chain: chainRecord([storeLayer(folder.path, files)]) });
    const all = { ...served, view: openFrameView(served.layerfs.filesystem) };
    const handles = files.map(({ path }) => open(all, path).handle);
    for (let round = 0; round < 2; round++) {
      for (const [n, { path }] of files.entries()) {
        expect(read(all, path, handles[n]!, 0, 100).toString()).toBe(`content ${n}`);
      }
    }
    for (const [n, { path }] of files.entries()) close(all, path, handles[n]!);
  });

  it.each(['ELOOP', 'EPERM', 'EOPNOTSUPP'])(
    'reads for ever in READ mode where passthrough fails with %s, and says it once',
    (errno) => {
      const served = serve(true, { passthroughFails: errno });
      for (const path of ['small', 'small', 'dir/large']) expect(open(served, path).backingId).toBe(0);
      expect(served.take('no-passthrough')).toHaveLength(1);
      expect(served.log).toHaveLength(1);
    },
  );

  it('tries passthrough again where files ran out', () => {
    const served = serve(true, { passthroughFails: 'EMFILE' });
    expect(open(served, 'small').backingId).toBe(0);
    expect(served.take('no-passthrough')).toEqual([]);
  });

  it('reads nothing of what was quarantined', () => {
    const served = serve(true);
    const { handle } = open(served, 'small');
    served.command({ do: 'quarantine', key: 'chain', quarantined: true });
    expect(() => open(served, 'small')).toThrow(expect.objectContaining({ code: 'EIO' }));
    expect(() => read(served, 'small', handle, 0, 1)).toThrow(expect.objectContaining({ code: 'EIO' }));
  });

  it('hands an interrupt on', () => {
    const served = serve(false);
    served.view.tell('INTERRUPT', 0, { unique: 2n ** 63n + 7n });
    expect(served.take('interrupt')).toEqual([{ tell: 'interrupt', request: { high: 2 ** 31, low: 7 } }]);
  });
});

describe('a mount server that starts again', () => {
  it('answers with the same passthrough ids, also where passthrough is off by then', () => {
    const first = serve(true);
    const { backingId } = open(first, 'small');
    const served = serve(true, { resumed: true });
    served.layerfs.passthrough(false, 'off');
    expect(open(served, 'small').backingId).toBe(backingId);
    expect(open(served, 'dir/large').backingId).toBe(0);
  });

  it('reads on for handles of the one before, and keeps their nodes in READ mode until they are closed', () => {
    const first = serve(false);
    storeLeaves(folder.path, LARGE, [0]);
    const { handle } = open(first, 'dir/large');
    storeObject(folder.path, LARGE);
    now += 1000;
    const served = serve(true, { resumed: true });
    expect(
      Buffer.compare(read(served, 'dir/large', handle, 7 * LEAF, LEAF), LARGE.subarray(7 * LEAF, 8 * LEAF)),
    ).toBe(0);
    const second = open(served, 'dir/large');
    expect(second.backingId).toBe(0);
    close(served, 'dir/large', handle);
    close(served, 'dir/large', second.handle);
    expect(open(served, 'dir/large').backingId).toBeGreaterThan(0);
  });

  it('knows after a FORGET that nothing is open', () => {
    const first = serve(false);
    open(first, 'dir/large');
    storeObject(folder.path, LARGE);
    const served = serve(true, { resumed: true });
    served.view.tell('FORGET', node(served, 'dir/large'), { count: 1 });
    expect(open(served, 'dir/large').backingId).toBeGreaterThan(0);
  });

  it('closes the ids of a chain that is forgotten', () => {
    const served = serve(true);
    open(served, 'small');
    open(served, 'dir/large');
    served.command({ do: 'forget', key: 'chain' });
    expect(served.backing.size).toBe(0);
  });
});

describe('what is told of a chain', () => {
  it('is what was used first, each leaf once, while it is recorded', () => {
    const served = serve(true, {}, true);
    const object = (path: string) => (path === 'small' ? 1 : 2);
    open(served, 'small');
    const { handle, backingId } = open(served, 'dir/large');
    expect(backingId).toBe(0);
    read(served, 'dir/large', handle, 0, LEAF + 1);
    read(served, 'dir/large', handle, LEAF, 4 * LEAF);
    read(served, 'dir/large', handle, 0, LEAF);
    open(served, 'small');
    served.layerfs.poll();
    const ranges = served.take('touched').flatMap((event) => event.ranges);
    const [small, large] = [ranges[0]![1], ranges[1]![1]];
    expect(small).not.toBe(large);
    expect([small, large].sort()).toEqual([object('small'), object('dir/large')].sort());
    expect(ranges).toEqual([
      [0, small, 0, 2],
      [0, large, 0, 2],
      [0, large, 2, 5],
    ]);
    read(served, 'dir/large', handle, 6 * LEAF, 1);
    now += 249;
    served.layerfs.poll();
    expect(served.take('touched')).toEqual([]);
    now += 1;
    served.layerfs.poll();
    expect(served.take('touched')).toEqual([{ tell: 'touched', key: 'chain', ranges: [[0, large, 6, 7]] }]);
  });

  it('is nothing while it is not recorded; the last of it comes when recording ends', () => {
    const served = serve(true, {}, true);
    const { handle } = open(served, 'dir/large');
    served.layerfs.poll();
    read(served, 'dir/large', handle, 0, 1);
    served.command({ do: 'recording', key: 'chain', recording: false });
    expect(served.take('touched').flatMap((event) => event.ranges)).toHaveLength(1);
    read(served, 'dir/large', handle, LEAF, 1);
    now += 1000;
    served.layerfs.poll();
    expect(served.take('touched')).toEqual([]);
  });

  it('is how its files were opened', () => {
    const served = serve(true);
    open(served, 'small');
    open(served, 'small');
    served.command({ do: 'report', number: 7 });
    expect(served.take('opens')).toEqual([{ tell: 'opens', key: 'chain', passthrough: 2, read: 0 }]);
    expect(served.take('reported')).toEqual([{ tell: 'reported', number: 7 }]);
    served.command({ do: 'report', number: 8 });
    expect(served.take('opens')).toEqual([]);
  });
});

describe('reading a large object in order', () => {
  it('wants more and more ahead, and nothing ahead of jumps', () => {
    const served = serve(false);
    const { handle } = open(served, 'dir/large');
    const wants = (leaf: number) => {
      pends(served, 'READ', 'dir/large', { handle, offset: leaf * LEAF, size: LEAF });
      return served.take('missing').map(({ missing }) => [missing.answer.kind, missing.first, missing.end]);
    };
    expect(wants(0)).toEqual([['read', 0, 1]]);
    expect(wants(1)).toEqual([
      ['read', 1, 2],
      ['ahead', 2, 3],
    ]);
    expect(wants(2)).toEqual([
      ['read', 2, 3],
      ['ahead', 3, 5],
    ]);
    expect(wants(15)).toEqual([['read', 15, 16]]);
    expect(wants(4)).toEqual([['read', 4, 5]]);
  });
});
