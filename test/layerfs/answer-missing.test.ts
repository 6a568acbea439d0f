import { Fault } from '../../src/base/fault.ts';
import type { RequestId } from '../../src/fuse/filesystem.ts';
import { createMissingAnswers } from '../../src/layerfs/answer-missing.ts';
import type { LayerfsCommand } from '../../src/layerfs/chain-messages.ts';
import type { MissingContent } from '../../src/layerfs/missing-content.ts';
import { createSharedLeaves } from '../../src/layerfs/shared-leaves.ts';
import type { Logger } from '../../src/observe/logger.ts';
import { pattern } from '../fuse/contract-tree.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { hashOf, storeLeaves, storeObject } from './stored-layers.ts';

const LEAF = 262_144;
const CONTENT = pattern(5 * LEAF - 3);
const CID = hashOf(CONTENT).cid.toString();

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder('missing');
});
afterEach(() => folder[Symbol.dispose]());

type Answer = readonly [unique: string, what: string | Uint8Array | number];
interface Asked {
  readonly missing: MissingContent;
  readonly signal: AbortSignal;
  have(complete: boolean): void;
  lost(fault: Fault): void;
}

/** A station that answers when the test says so, and what the kernel got. */
function station(maxWaiting?: number) {
  const asked: Asked[] = [];
  const answers: Answer[] = [];
  const commands: LayerfsCommand[] = [];
  const log: string[] = [];
  const waits: (readonly [string, boolean])[] = [];
  const say = (_: object, message: string): void => void log.push(message);
  const logger: Logger = { debug: () => {}, info: say, warn: say, error: say, child: () => logger };
  const unique = ({ high, low }: RequestId) => `${high}:${low}`;
  const missing = createMissingAnswers(
    {
      replies: {
        error: (request, errno) => void answers.push([unique(request), errno]),
        bytes: (request, bytes) => void answers.push([unique(request), Uint8Array.from(bytes)]),
        opened: (request, handle) => void answers.push([unique(request), `handle ${handle}`]),
      },
      want: (wanted, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Fault('cancelled', 'cancelled', 'cancelled')));
          asked.push({ missing: wanted, signal, have: (complete) => resolve({ complete }), lost: reject });
        }),
      command: (command) => void commands.push(command),
      logger,
      now: () => 0,
      waited: (chain, _, failed) => void waits.push([chain, failed]),
    },
    { root: folder.path, ...(maxWaiting !== undefined && { maxWaiting }) },
  );
  /** Until so many answers have come. */
  const answered = async (count: number): Promise<void> => {
    while (answers.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { missing, asked, answers, commands, log, waits, answered };
}

let uniques = 0;
function read(offset: number, length: number, more: Partial<MissingContent> = {}): MissingContent {
  return {
    request: { high: 0, low: ++uniques },
    node: 2 ** 32 + 7,
    chain: 'chain',
    layer: 0,
    object: 3,
    cid: CID,
    size: CONTENT.length,
    first: Math.floor(offset / LEAF),
    end: Math.ceil((offset + length) / LEAF),
    answer: { kind: 'read', offset, length },
    path: '/file',
    ...more,
  };
}
const name = ({ request }: MissingContent) => `${request.high}:${request.low}`;

describe('content that is missing', () => {
  it.each([true, false])(
    'is read and given to who waits, and marked as here (complete: %s)',
    async (complete) => {
      const { missing, asked, answers, answered, waits } = station();
      const leaves = createSharedLeaves(5);
      const wanted = read(LEAF + 5, LEAF, { leaves: leaves.buffer });
      missing.take(wanted);
      expect(asked[0]?.missing).toBe(wanted);
      if (complete) storeObject(folder.path, CONTENT);
      else storeLeaves(folder.path, CONTENT, [1, 2]);
      asked[0]!.have(complete);
      await answered(1);
      expect(answers).toEqual([[name(wanted), CONTENT.slice(LEAF + 5, 2 * LEAF + 5)]]);
      expect(leaves.whole).toBe(complete);
      expect(leaves.has(1, 3)).toBe(!complete);
      expect(leaves.has(0, 1)).toBe(false);
      expect(waits).toEqual([['chain', false]]);
      expect(missing.waiting).toBe(0);
    },
  );

  it('is found where it went when it became complete meanwhile, or was said to be', async () => {
    const { missing, asked, answers, answered } = station();
    for (const complete of [true, false]) missing.take(read(0, 10, { object: complete ? 1 : 2 }));
    storeObject(folder.path, CONTENT);
    for (const one of asked) one.have(false);
    await answered(2);
    expect(answers.map(([, what]) => what)).toEqual([CONTENT.slice(0, 10), CONTENT.slice(0, 10)]);
  });

  it('of an open is given as the handle that was counted', async () => {
    const { missing, asked, answers, answered, commands } = station();
    const wanted = read(0, CONTENT.length, { answer: { kind: 'open', handle: 77 } });
    missing.take(wanted);
    storeObject(folder.path, CONTENT);
    asked[0]!.have(true);
    await answered(1);
    expect(answers).toEqual([[name(wanted), 'handle 77']]);
    expect(commands).toEqual([]);
  });

  it('is asked for once for all that want the same', async () => {
    const { missing, asked, answered } = station();
    for (let n = 0; n < 10; n++) missing.take(read(n, 10));
    missing.take(read(LEAF, 10));
    expect(asked).toHaveLength(2);
    expect(missing.waiting).toBe(11);
    storeObject(folder.path, CONTENT);
    for (const one of asked) one.have(true);
    await answered(11);
    expect(missing.waiting).toBe(0);
  });

  it('that is lost is EIO for each that waits, with one line that says why', async () => {
    const { missing, asked, answers, commands, log, answered } = station();
    const wanted = [read(0, 10), read(5, 10)];
    for (const one of wanted) missing.take(one);
    missing.take(read(0, 10, { object: 9, answer: { kind: 'open', handle: 5 } }));
    for (const one of asked) one.lost(new Fault('unavailable', 'no-peer-has-block', 'no peer has it'));
    await answered(3);
    expect(answers.map(([, errno]) => errno)).toEqual([5, 5, 5]);
    expect(log).toEqual(['/file cannot be read: no peer has it', '/file cannot be read: no peer has it']);
    expect(commands).toEqual([{ do: 'uncount', node: 2 ** 32 + 7, handle: 5 }]);
  });

  it('that is not in the file after all is EIO', async () => {
    const { missing, asked, answers, log, answered } = station();
    missing.take(read(0, 10));
    asked[0]!.have(true);
    storeObject(folder.path, CONTENT.subarray(0, 5));
    await answered(1);
    expect(answers.map(([, errno]) => errno)).toEqual([5]);
    expect(log).toEqual([expect.stringContaining('is not here although it was fetched')]);
  });

  it('is not waited for by a reader that was interrupted', async () => {
    const { missing, asked, answers, answered } = station();
    const [first, second] = [read(0, 10), read(1, 10)];
    missing.take(first);
    missing.take(second);
    missing.interrupt(first.request);
    missing.interrupt(first.request);
    missing.interrupt({ high: 9, low: 9 });
    expect(answers).toEqual([[name(first), 4]]);
    expect(asked[0]!.signal.aborted).toBe(false);
    storeObject(folder.path, CONTENT);
    asked[0]!.have(true);
    await answered(2);
    expect(answers[1]).toEqual([name(second), CONTENT.slice(1, 11)]);
  });

  it('is not asked for any more once the last reader is gone; who comes then asks anew', async () => {
    const { missing, asked, answers, answered, commands, log } = station();
    const first = read(0, 10, { answer: { kind: 'open', handle: 3 } });
    missing.take(first);
    missing.interrupt(first.request);
    expect(asked[0]!.signal.aborted).toBe(true);
    expect(commands).toEqual([{ do: 'uncount', node: 2 ** 32 + 7, handle: 3 }]);
    missing.take(read(0, 10));
    storeObject(folder.path, CONTENT);
    asked[1]!.have(true);
    await answered(2);
    expect(answers[1]?.[1]).toEqual(CONTENT.slice(0, 10));
    expect(log).toEqual([]);
  });

  it('keeps no more readers waiting than the bound, and does not say so each time', () => {
    const { missing, answers, log, asked } = station(3);
    for (let n = 0; n < 40; n++) missing.take(read(n * 10, 10, { object: n }));
    expect(missing.waiting).toBe(3);
    expect(asked).toHaveLength(3);
    expect(answers.map(([, errno]) => errno)).toEqual(Array(37).fill(5));
    expect(log).toHaveLength(6);
  });

  it('that is fetched ahead is marked and answers nobody, lost or not', async () => {
    const { missing, asked, answers, log } = station();
    const leaves = createSharedLeaves(5);
    for (const first of [0, 3])
      missing.take(read(0, 0, { first, end: first + 2, answer: { kind: 'ahead' }, leaves: leaves.buffer }));
    expect(missing.waiting).toBe(0);
    storeLeaves(folder.path, CONTENT, [0, 1]);
    asked[0]!.have(false);
    asked[1]!.lost(new Fault('unavailable', 'no-peer-has-block', 'no peer has it'));
    while (!leaves.has(0, 2)) await new Promise((resolve) => setImmediate(resolve));
    expect(leaves.has(3, 4)).toBe(false);
    expect(answers).toEqual([]);
    expect(log).toEqual([]);
  });

  it('is fetched ahead in bounded number', () => {
    const { missing, asked } = station();
    for (let n = 0; n < 1000; n++) missing.take(read(0, 0, { object: n, answer: { kind: 'ahead' } }));
    expect(asked).toHaveLength(64);
  });

  it('makes the FUSE thread open the file anew where it has another one open', async () => {
    const { missing, asked, answered } = station();
    const leaves = createSharedLeaves(5);
    leaves.inode = 1;
    missing.take(read(0, 10, { leaves: leaves.buffer }));
    storeLeaves(folder.path, CONTENT, [0]);
    asked[0]!.have(false);
    await answered(1);
    expect([leaves.stale, leaves.has(0, 1)]).toEqual([true, false]);
  });

  it('is EIO for all that wait when the mount server ends', () => {
    const { missing, asked, answers } = station();
    missing.take(read(0, 10));
    missing.take(read(0, 0, { answer: { kind: 'ahead' } }));
    missing.close();
    expect(answers.map(([, errno]) => errno)).toEqual([5]);
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });
});
