import { spawn } from 'node:child_process';
import { Fault, toFault } from '../base/fault.ts';

/**
 * Asks for the attributes of a folder, in a process of its own: the answer may have to come from this very process, or
 * never come, and then neither its event loop nor libuv's pool may hang with it.
 * @param deadline ms
 * @throws Fault `unavailable/mount-does-not-answer`, `cancelled`
 */
export type RootProbe = (folder: string, deadline: number, signal: AbortSignal) => Promise<void>;

/** coreutils and busybox have stat(1), which answers in 2 ms; a system without it has at least the Node that runs us. */
const WAYS: readonly ((folder: string) => readonly [string, readonly string[]])[] = [
  (folder) => ['stat', ['-c', '%i', '--', folder]],
  (folder) => [process.execPath, ['-e', 'require("node:fs").statSync(process.argv[1])', '--', folder]],
];

export const probeRoot: RootProbe = async (folder, deadline, signal) => {
  let missing: unknown;
  for (const way of WAYS) {
    const [command, args] = way(folder);
    try {
      await run(command, args, folder, deadline, signal);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      missing = error;
    }
  }
  throw toFault(missing);
};

async function run(
  command: string,
  args: readonly string[],
  folder: string,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw cancelled(folder);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // No `cwd`: the child would enter it before exec, and the parent waits for exec.
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 400);
  });
  child.on('error', reject);
  child.on('close', (code) => {
    if (code === 0) resolve();
    else reject(noAnswer(folder, said.trim()));
  });
  const stop = (fault: Fault) => (): void => {
    // a process that waits for FUSE can be killed; its end is not waited for
    child.kill('SIGKILL');
    child.unref();
    reject(fault);
  };
  const timer = setTimeout(stop(noAnswer(folder, `no answer within ${deadline} ms`)), deadline);
  const onAbort = stop(cancelled(folder));
  signal.addEventListener('abort', onAbort);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

function noAnswer(folder: string, why: string): Fault {
  return new Fault(
    'unavailable',
    'mount-does-not-answer',
    `${folder} was mounted but does not answer: ${why}`,
    {
      fields: { target: folder, why },
    },
  );
}

function cancelled(folder: string): Fault {
  return new Fault('cancelled', 'cancelled', `the mount of ${folder} was cancelled`, {
    fields: { target: folder },
  });
}
