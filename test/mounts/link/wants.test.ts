import fc from 'fast-check';
import { systemClock } from '../../../src/base/clock.ts';
import { Fault } from '../../../src/base/fault.ts';
import type { WantMessage } from '../../../src/mounts/link/link-messages.ts';
import { createWants, type WantSink } from '../../../src/mounts/link/wants.ts';
import { never, rangeOf } from './link-scene.ts';

interface Reader {
  readonly first: number;
  readonly cancel: AbortController;
  outcome: string | undefined;
}

/** What a station knows, as its messages tell it. */
function station(): WantSink & { readonly open: Map<number, WantMessage> } {
  const open = new Map<number, WantMessage>();
  return {
    open,
    want(message) {
      expect(open.has(message.want)).toBe(false);
      open.set(message.want, message);
    },
    cancel(want) {
      expect(open.delete(want)).toBe(true);
    },
  };
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('want' as const), range: fc.nat(3) }),
  fc.record({ kind: fc.constantFrom('abort' as const, 'have' as const, 'lost' as const), at: fc.nat(20) }),
  fc.record({ kind: fc.constantFrom('station' as const, 'no station' as const), at: fc.constant(0) }),
);

describe('wants', () => {
  it('are open at the station exactly while somebody waits for them, through any order of events', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const wants = createWants({ clock: systemClock }, { wait: 60_000 });
        const readers: Reader[] = [];
        let here: ReturnType<typeof station> | undefined;
        for (const each of steps) {
          const waiting = readers.filter(({ outcome }) => outcome === undefined);
          if (each.kind === 'want') {
            const reader: Reader = { first: each.range, cancel: new AbortController(), outcome: undefined };
            readers.push(reader);
            wants.want(rangeOf(each.range), reader.cancel.signal).then(
              ({ complete }) => {
                reader.outcome = `have ${complete}`;
              },
              (fault: Fault) => {
                reader.outcome = fault.code;
              },
            );
          } else if (each.kind === 'abort') {
            waiting[each.at % Math.max(1, waiting.length)]?.cancel.abort();
          } else if (each.kind === 'station') {
            here = station();
            wants.station(here);
          } else if (each.kind === 'no station') {
            here = undefined;
            wants.station(undefined);
          } else if (here !== undefined && here.open.size > 0) {
            const [number] = [...here.open.keys()].slice(each.at % here.open.size) as [number];
            here.open.delete(number);
            if (each.kind === 'have') wants.have(number, true);
            else wants.lost(number, new Fault('unavailable', 'lost', 'lost'));
          }
          await new Promise(setImmediate);
          const open = readers.filter(({ outcome }) => outcome === undefined);
          expect(wants.statistics('a1').waiting).toBe(open.length);
          if (here !== undefined) {
            const ranges = [...here.open.values()].map(({ first }) => first).sort();
            expect(ranges).toEqual([...new Set(open.map(({ first }) => first))].sort());
          }
        }
        wants.close(new Fault('unavailable', 'closed', 'closed'));
        await new Promise(setImmediate);
        const outcomes = readers.map(({ outcome }) => outcome);
        expect(outcomes.every((outcome) => outcome !== undefined)).toBe(true);
        const failed = outcomes.filter((outcome) => outcome === 'lost' || outcome === 'closed').length;
        expect(wants.statistics('a1')).toMatchObject({ waited: readers.length, waiting: 0, failed });
      }),
      { numRuns: 200 },
    );
  });

  it('measure how long readers waited, and forget with the chain', async () => {
    let now = 0;
    const clock = { now: () => now, monotonic: () => now };
    const wants = createWants({ clock }, { wait: 60_000 });
    wants.station({ want: () => {}, cancel: () => {} });
    for (let number = 1; number <= 100; number++) {
      const answer = wants.want(rangeOf(number), never);
      now += number;
      wants.have(number, true);
      await answer;
    }
    expect(wants.statistics('a1')).toEqual({ waited: 100, waiting: 0, failed: 0, waitP50: 50, waitP99: 99 });
    expect(wants.statistics('other').waited).toBe(0);
    wants.forget('a1');
    expect(wants.statistics('a1').waited).toBe(0);
  });

  it('are said with a path that fits', async () => {
    const said: WantMessage[] = [];
    const wants = createWants({ clock: systemClock }, { wait: 60_000 });
    wants.station({ want: (message) => said.push(message), cancel: () => {} });
    const answer = wants.want(rangeOf(0, { path: 'x'.repeat(10_000) }), never);
    wants.have(1, false);
    expect(await answer).toEqual({ complete: false });
    expect(said[0]?.path.length).toBe(4096);
  });
});
