import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../../src/base/clock.ts';
import { toFaultRecord } from '../../../src/base/fault.ts';
import { createJsonLineConnection } from '../../../src/base/json-line-connection.ts';
import { listenUnix } from '../../../src/base/unix-listener.ts';
import { openLogger } from '../../../src/observe/open-logger.ts';
import { createMountService } from '../../../src/station/mounts/create-mount-service.ts';
import type { MountOptions, UnmountOptions } from '../../../src/station/mounts/mount-service.ts';
import type { MountableImage } from '../../../src/transfer/lazy/lazy-images.ts';
import { createAwayImages } from './away-images.ts';

// A station of which only the mounts are there: the mount service over images whose content a test withholds.

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: '' },
    wait: { type: 'string', default: '30000' },
    resend: { type: 'string', default: 'auto' },
    version: { type: 'string' },
  },
});
const { root } = values;
const images = JSON.parse(readFileSync(join(root, 'images.json'), 'utf8')) as MountableImage[];
const { log } = openLogger({ level: 'debug', file: join(root, 'station.log') });
process.on('uncaughtException', (error) => {
  log.error({ error: String(error), stack: error.stack }, 'the station cannot go on');
  process.exit(1);
});
const lazy = createAwayImages(root, images);
const mounts = createMountService(
  { lazy, clock: systemClock, logger: log },
  {
    root,
    respawn: {
      command: process.execPath,
      args: process.argv.slice(1),
      env: { ...(process.env as Record<string, string>) },
    },
    waitMs: Number(values.wait),
    wholeAtOpen: 2 ** 20,
    readahead: 128 * 1024,
    passthrough: 'auto',
    resend: values.resend === 'off' ? 'off' : 'auto',
    logLevel: 'debug',
    ...(values.version === undefined ? {} : { version: values.version }),
  },
);
const signal = new AbortController().signal;

const calls: Readonly<Record<string, (...args: never[]) => unknown>> = {
  ensure: () => mounts.ensure(signal),
  mount: (key: string, target: string, options: MountOptions) =>
    mounts.mount(lazy.get(key) as MountableImage, target, options, signal),
  unmount: (target: string, options: UnmountOptions) => mounts.unmount(target, options, signal),
  list: () => mounts.list(),
  uppers: () => mounts.uppers(),
  status: () => mounts.status(),
  frames: () => mounts.frames(),
  touches: () => lazy.touches,
  release: (how: { all: boolean; force: boolean }) => mounts.release(how),
  wants: () => lazy.wants,
  used: () => lazy.mounted(),
  pid: () => process.pid,
  async stop() {
    await mounts.stop();
    setTimeout(() => process.exit(0), 50);
  },
};

await mounts.resume();
await listenUnix(join(root, 'test.sock'), (socket) => {
  const connection = createJsonLineConnection(socket, (message) => {
    const { id, call, args } = message as { id: number; call: string; args: never[] };
    Promise.resolve()
      .then(() => calls[call]?.(...args))
      .then(
        (done) => connection.send({ id, done: done ?? null }),
        (error) => connection.send({ id, fault: toFaultRecord(error) }),
      );
  });
});
