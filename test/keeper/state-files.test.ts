import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { takeProcessLock } from '../../src/config/process-lock.ts';
import { createBackOff } from '../../src/keeper/back-off.ts';
import { readMountSettings, writeMountSettings } from '../../src/keeper/mount-settings.ts';
import { openChainBook } from '../../src/station/mount-server/chain-book.ts';
import {
  openUnansweredFile,
  takeUnanswered,
  UNANSWERED_BYTES,
} from '../../src/station/mount-server/unanswered-file.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder('keeper-state');
});
afterEach(() => folder[Symbol.dispose]());

const at = (name: string): string => join(folder.path, name);
const chain = (key: string, ...indexes: string[]) => ({ key, indexes, complete: false, recording: false });

describe('the book of chains', () => {
  it('gives each key a number that it keeps, over restarts and when it was forgotten', () => {
    const book = openChainBook(at('chains'));
    expect(book.add(chain('a', 'x')).number).toBe(1);
    expect(book.add(chain('b', 'y')).number).toBe(2);
    book.forget('a');
    expect(book.get('a')).toBeUndefined();
    const later = openChainBook(at('chains'));
    expect(later.list().map(({ key }) => key)).toEqual(['b']);
    expect(later.add(chain('c', 'z')).number).toBe(3);
    expect(later.add(chain('a', 'x')).number).toBe(1);
  });

  it('gives other layers of a forgotten key another number, and refuses them of a known one', () => {
    const book = openChainBook(at('chains'));
    book.add(chain('a', 'x'));
    expect(() => book.add(chain('a', 'x', 'y'))).toThrow('known with other layers');
    book.forget('a');
    expect(book.add(chain('a', 'x', 'y')).number).toBe(2);
  });

  it('takes over what changes', () => {
    const book = openChainBook(at('chains'));
    book.add(chain('a', 'x'));
    book.add({ ...chain('a', 'x'), complete: true, quarantined: true });
    expect(openChainBook(at('chains')).get('a')).toMatchObject({
      number: 1,
      complete: true,
      quarantined: true,
    });
  });
});

describe('requests that wait', () => {
  const missing = (low: number) => ({
    request: { high: 0, low },
    node: 7,
    chain: 'a',
    layer: 0,
    object: 1,
    cid: 'x',
    size: 10,
    first: 0,
    end: 1,
    answer: { kind: 'read', offset: 0, length: 10 } as const,
    path: '/x',
  });
  const replies = { error: () => {}, bytes: () => {}, opened: () => {} };

  it('are left to the next mount server until they are answered, whatever the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ low: fc.nat(20), answer: fc.boolean() }), { maxLength: 60 }),
        (steps) => {
          const path = at('unanswered');
          writeFileSync(path, '');
          const memory = new SharedArrayBuffer(UNANSWERED_BYTES);
          // one of each thread
          const added = openUnansweredFile(path, memory);
          const answers = openUnansweredFile(path, memory).watch(replies);
          const waiting = new Set<number>();
          for (const { low, answer } of steps) {
            if (answer === waiting.has(low)) {
              if (answer) answers.error({ high: 0, low }, 5);
              else added.add(missing(low));
              if (answer) waiting.delete(low);
              else waiting.add(low);
            }
          }
          appendFileSync(path, '{"request":{"high":0,');
          const left = takeUnanswered(path, new SharedArrayBuffer(UNANSWERED_BYTES));
          expect(left.map(({ request }) => request.low).sort()).toEqual([...waiting].sort());
          expect(takeUnanswered(path, new SharedArrayBuffer(UNANSWERED_BYTES))).toEqual(left);
        },
      ),
    );
  });

  it('leave a short file behind', () => {
    const memory = new SharedArrayBuffer(UNANSWERED_BYTES);
    const file = openUnansweredFile(at('unanswered'), memory);
    const answers = file.watch(replies);
    for (let low = 0; low < 5000; low++) {
      file.add(missing(low));
      answers.bytes({ high: 0, low }, new Uint8Array(0));
    }
    expect(readFileSync(at('unanswered')).length).toBeLessThan(300_000);
  });
});

describe('the lock of a keeper', () => {
  it('is held by one process, and free again when that one is gone', () => {
    const lock = takeProcessLock(at('lock'));
    expect(() => takeProcessLock(at('lock'))).toThrow(`process ${process.pid} holds`);
    lock.release();
    takeProcessLock(at('lock')).release();
    // a process that has ended, and one that has another's number
    for (const dead of ['4194304 1\n', `${process.pid} 1\n`, 'nonsense\n', '']) {
      writeFileSync(at('lock'), dead);
      takeProcessLock(at('lock')).release();
    }
  });
});

describe('the settings of a mount server', () => {
  const settings = {
    waitMs: 5,
    wholeAtOpen: 6,
    readahead: 7,
    passthrough: 'off',
    resend: 'off',
    logLevel: 'debug',
  } as const;

  it('are read as they were written, without what stood beside them', () => {
    const more = { ...settings, respawn: { env: { SECRET: 'x' } } };
    writeMountSettings(at('settings'), more);
    expect(readMountSettings(at('settings'))).toEqual(settings);
    expect(readFileSync(at('settings'), 'utf8')).not.toContain('SECRET');
  });

  it.each(['', '{', 'null', '[]', '{"waitMs":-1,"passthrough":7}'])(
    'are usual ones where the file is %j',
    (text) => {
      writeFileSync(at('settings'), text);
      expect(readMountSettings(at('settings'))).toMatchObject({ waitMs: 30_000, passthrough: 'auto' });
    },
  );
});

it('a process that ends again and again is started at once, then ever later up to 5 s', () => {
  const backOff = createBackOff();
  const waits = Array.from({ length: 8 }, () => backOff.next());
  expect(waits).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000]);
  backOff.ran(100);
  expect(backOff.next()).toBe(5000);
  backOff.ran(60_000);
  expect(backOff.next()).toBe(0);
});
