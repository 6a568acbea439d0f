import fc from 'fast-check';
import { createChunkReader } from '../../src/base/chunk-reader.ts';
import { coalesce } from '../../src/base/coalesce.ts';
import { createWaiters } from '../../src/base/waiters.ts';
import { peekStream } from '../../src/transfer/peek-stream.ts';

async function* from<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

const chunks = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 });

describe('a chunk reader', () => {
  it('gives exact counts over whatever chunks, and fewer only at the end', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.array(fc.integer({ min: 0, max: 80 })), async (given, counts) => {
        const whole = Buffer.concat(given);
        const reader = createChunkReader(from(given));
        let at = 0;
        for (const [turn, count] of counts.entries()) {
          const expected = whole.subarray(at, at + count);
          at += count;
          const found =
            turn % 2 === 0 ? await reader.take(count) : Buffer.concat(await all(reader.pass(count)));
          expect(found.equals(expected)).toBe(true);
        }
      }),
    );
  });

  it('copies what is taken and passes views of the rest', async () => {
    const chunk = Buffer.from('abcdef');
    const reader = createChunkReader(from([chunk]));
    const taken = await reader.take(2);
    const [passed] = await all(reader.pass(2));
    chunk.fill('x');
    expect(taken.toString()).toBe('ab');
    expect(Buffer.from(passed as Uint8Array).toString()).toBe('xx');
  });
});

describe('coalesced chunks', () => {
  it('are the same bytes in pieces of at least the half of what is asked', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 64 }), async (given, size) => {
        const pieces = await all(coalesce(from(given), size));
        expect(Buffer.concat(pieces).equals(Buffer.concat(given))).toBe(true);
        for (let at = 2; at < pieces.length; at++) {
          // two neighbours that fitted into one buffer would have been one
          expect(pieces[at - 2]!.length + pieces[at - 1]!.length + pieces[at]!.length).toBeGreaterThanOrEqual(
            size,
          );
        }
      }),
    );
  });

  it('are never changed after they were given', async () => {
    const given = Array.from({ length: 40 }, (_, i) => Buffer.alloc(30, i));
    const pieces = await all(coalesce(from(given), 100));
    expect(Buffer.concat(pieces).equals(Buffer.concat(given))).toBe(true);
  });
});

describe('waiters', () => {
  it('go on when their key is released', async () => {
    const waiters = createWaiters<string>();
    const order: string[] = [];
    const waits = ['a', 'b', 'a'].map((key) => waiters.wait(key).then(() => order.push(key)));
    waiters.release('c');
    waiters.release('b');
    await waits[1];
    expect(order).toEqual(['b']);
    waiters.release('a');
    await Promise.all(waits);
    expect(order).toEqual(['b', 'a', 'a']);
  });

  it('all fail at once, those that come later too', async () => {
    const waiters = createWaiters<number>();
    const waiting = [waiters.wait(1), waiters.wait(2)];
    waiters.fail(new Error('over'));
    for (const wait of waiting) await expect(wait).rejects.toThrow('over');
    await expect(waiters.wait(3)).rejects.toThrow('over');
  });
});

describe('a stream that was looked at', () => {
  it('gives its first bytes and then all of it', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 0, max: 200 }), async (given, count) => {
        const whole = Buffer.concat(given);
        const { head, stream } = await peekStream(from(given), count);
        expect(head.equals(whole.subarray(0, count))).toBe(true);
        expect(Buffer.concat(await all(stream)).equals(whole)).toBe(true);
      }),
    );
  });

  it('ends its source when it is left early', async () => {
    let ended = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('abc');
      } finally {
        ended = true;
      }
    }
    const { stream } = await peekStream(source(), 5);
    for await (const _ of stream) break;
    expect(ended).toBe(true);
  });
});
