import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Fault } from '../../src/base/fault.ts';
import { storeLayout } from '../../src/store/store-layout.ts';
import { takeStoreLock } from '../../src/store/store-lock.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('lock');
const layout = storeLayout(folder.path);
let other: ChildProcess;
beforeAll(() => {
  other = spawn('sleep', ['1000'], { stdio: 'ignore' });
});
afterAll(() => {
  other.kill('SIGKILL');
  folder[Symbol.dispose]();
});

/** Field 22 of proc_pid_stat(5). */
const startOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21];

function refusal(): Fault {
  try {
    takeStoreLock(layout).release();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('it was free');
}

describe('the lock of a store', () => {
  it('names the root and the process that has it, and is free again when released', () => {
    const lock = takeStoreLock(layout);
    const { kind, code, message, fields } = refusal();
    expect({ kind, code, message, fields }).toEqual({
      kind: 'busy',
      code: 'store-in-use',
      message: `the store at ${folder.path} is in use by process ${process.pid}`,
      fields: { root: folder.path, path: layout.lock, pid: process.pid },
    });
    lock.release();
    takeStoreLock(layout).release();
    expect(existsSync(layout.lock)).toBe(false);
  });

  it('stays while the process of its pid and start time lives, no longer', async () => {
    const pid = other.pid as number;
    writeFileSync(layout.lock, `${pid} ${startOf(pid)}\n`);
    expect(refusal().fields['pid']).toBe(pid);
    // Another process has the number by now.
    writeFileSync(layout.lock, `${pid} 1\n`);
    takeStoreLock(layout).release();
    writeFileSync(layout.lock, `${pid} ${startOf(pid)}\n`);
    const ended = once(other, 'exit');
    other.kill('SIGKILL');
    await ended;
    takeStoreLock(layout).release();
  });

  it.each(['', '1', 'nonsense', '-5 7', `${'9'.repeat(40)} 1`])('is taken over where it says %j', (text) => {
    writeFileSync(layout.lock, text);
    takeStoreLock(layout).release();
  });
});
