import fc from 'fast-check';
import type { TouchedRange } from '../../src/layerfs/chain-messages.ts';
import { createIndexShelf } from '../../src/layerfs/index-shelf.ts';
import { createRecent } from '../../src/layerfs/recent.ts';
import { attachSharedLeaves, createSharedLeaves } from '../../src/layerfs/shared-leaves.ts';
import { createTouchRecorder } from '../../src/layerfs/touch-recorder.ts';
import { storeLayout } from '../../src/store/store-layout.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { storeLayer } from './stored-layers.ts';

describe('a cache of what was used lately', () => {
  it('never answers anything but what was set last, and keeps to its bound', () => {
    const step = fc.record({ key: fc.nat(20), set: fc.boolean(), weight: fc.integer({ min: 1, max: 4 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const recent = createRecent<number, { at: number; weight: number }>(10);
        const model = new Map<number, { at: number; weight: number }>();
        for (const [at, { key, set, weight }] of steps.entries()) {
          if (set) {
            model.set(key, { at, weight });
            recent.set(key, model.get(key)!, weight);
            expect(recent.get(key)).toBe(model.get(key));
          } else {
            const found = recent.get(key);
            if (found !== undefined) expect(found).toBe(model.get(key));
          }
        }
        const held = [...model.keys()].filter((key) => recent.get(key) !== undefined);
        expect(held.length).toBeLessThanOrEqual(25);
      }),
    );
  });

  it('keeps what is asked for again and again', () => {
    const recent = createRecent<number, number>(10);
    recent.set(-1, -1);
    for (let key = 0; key < 1000; key++) {
      recent.set(key, key);
      expect(recent.get(-1)).toBe(-1);
    }
    expect([...Array(1000).keys()].filter((key) => recent.get(key) !== undefined).length).toBeLessThanOrEqual(
      22,
    );
  });
});

describe('the shelf of indexes', () => {
  it('holds a layer once for all chains that have it, and lets go of it with the last', () => {
    const folder = tempFolder('shelf');
    const shelf = createIndexShelf(storeLayout(folder.path));
    const cid = storeLayer(folder.path, [{ type: 'file', path: 'a', content: 'x' }]);
    const first = shelf.take(cid);
    const { bytes } = shelf;
    expect(shelf.take(cid)).toBe(first);
    expect(shelf.bytes).toBe(bytes);
    shelf.giveBack(cid);
    expect(shelf.bytes).toBe(bytes);
    shelf.giveBack(cid);
    expect(shelf.bytes).toBe(0);
    expect(() => shelf.take('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')).toThrow(
      expect.objectContaining({ code: 'no-index' }),
    );
    folder[Symbol.dispose]();
  });
});

describe('shared leaves', () => {
  it('say on both sides what was marked on either', () => {
    const range = fc.tuple(fc.nat(99), fc.nat(10));
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 20 }),
        fc.uint8Array({ minLength: 13, maxLength: 13 }),
        (ranges, bits) => {
          const one = createSharedLeaves(100);
          const other = attachSharedLeaves(one.buffer);
          one.add(bits);
          one.add(bits.subarray(1));
          const model = [...Array(100).keys()].map((leaf) => ((bits[leaf >> 3]! >> (leaf & 7)) & 1) === 1);
          for (const [at, [first, length]] of ranges.entries()) {
            const end = Math.min(100, first + length);
            (at % 2 === 0 ? one : other).mark(first, end);
            model.fill(true, first, end);
          }
          expect([...Array(100).keys()].map((leaf) => other.has(leaf, leaf + 1))).toEqual(model);
          expect(one.has(0, 100)).toBe(model.every(Boolean));
          expect([one.whole, one.stale, one.inode]).toEqual([false, false, 0]);
          other.clear();
          expect(one.has(0, 1)).toBe(false);
        },
      ),
    );
  });
});

describe('what was touched', () => {
  const touch = fc.record({
    object: fc.nat(4),
    first: fc.nat(39),
    length: fc.integer({ min: 1, max: 40 }),
  });

  it('is every leaf that was touched, once, in the order of first touch', () => {
    fc.assert(
      fc.property(fc.array(touch, { maxLength: 40 }), (touches) => {
        const told: TouchedRange[] = [];
        const recorder = createTouchRecorder({
          onTouched: (_, ranges) => void told.push(...ranges),
          now: () => 0,
        });
        const expected = new Set<string>();
        for (const { object, first, length } of touches) {
          const end = Math.min(40, first + length);
          recorder.touch('chain', 1, object, first, end, 40);
          for (let leaf = first; leaf < end; leaf++) expected.add(`${object}:${leaf}`);
        }
        recorder.end('chain');
        const leaves = told.flatMap(([layer, object, first, end]) => {
          expect(layer).toBe(1);
          return [...Array(end - first).keys()].map((at) => `${object}:${first + at}`);
        });
        // An object that was touched whole is told whole though some of it was told before: never the other way round.
        expect(new Set(leaves)).toEqual(expected);
        expect(leaves).toEqual([...new Set(leaves)]);
        expect(leaves).toEqual([...expected]);
      }),
    );
  });

  it('is bounded: objects beyond the bound are not told', () => {
    let told = 0;
    const recorder = createTouchRecorder({
      onTouched: (_, ranges) => {
        expect(ranges.length).toBeLessThanOrEqual(2000);
        told += ranges.length;
      },
      now: () => 0,
    });
    for (let object = 0; object < 100_100; object++) recorder.touch('chain', 0, object, 0, 1, 1);
    // A TiB and more of large objects.
    for (let object = 0; object < 8; object++) recorder.touch('chain', 1, object, 0, 1, 2 ** 22);
    recorder.end('chain');
    expect(told).toBe(100_000);
  });
});
