/**
 * Takes the frames of test/golden/fuse from the kernel it runs on: `node test/fuse/capture-frames.ts` as root. It mounts
 * a small tree, writable so that writes are asked, too, runs what is listed below, and keeps for each line the first
 * frame of each operation that it brought for the first time.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { constants, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { FuseChannel } from '../../src/fuse/channel.ts';
import { createDeferredReplies } from '../../src/fuse/deferred-replies.ts';
import { createDeviceChannel } from '../../src/fuse/device-channel.ts';
import { createFuseSession } from '../../src/fuse/session.ts';
import { traceRequest } from '../../src/fuse/trace.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { contractTree } from './contract-tree.ts';
import { type GoldenFrame, goldenText } from './golden-frames.ts';
import { createMemoryFilesystem } from './memory-filesystem.ts';

const perl = (call: string) => `perl -e '$p = "plain"; $n = "new"; $a = "user.a"; ${call}'`;

/** Numbers of system calls are x86-64's. */
const RUN = [
  'stat -c %s plain',
  'stat -c %w plain',
  'stat absent',
  'stat -f .',
  'readlink link',
  'cat plain',
  'dd if=big of=/dev/null bs=1M count=2 iflag=direct',
  'ls many',
  'ls deep/d',
  'getfattr -d -m - attributed',
  perl('open(F, $p); print syscall(8, fileno(F), 0, 4)'),
  perl('open(F, $p); syscall(74, fileno(F))'),
  perl('sysopen(F, ".", 65536); syscall(74, fileno(F))'),
  perl('open(F, $p); ioctl(F, 0x5413, $b = "\\0" x 8)'),
  perl('open(F, $p); vec($r, fileno(F), 1) = 1; select($r, undef, undef, 0)'),
  perl('syscall(21, $p, 4)'),
  'chmod 600 plain',
  'chown 1:1 plain',
  'truncate -s 0 plain',
  'touch -d 2001-01-01 plain',
  'mkdir new',
  'mkfifo new',
  'mknod new c 1 3',
  'rmdir sticky',
  'rm -f empty',
  'mv plain new',
  perl('rename($p, $n)'),
  perl('syscall(316, -100, $p, -100, $b = "big", 2)'),
  'ln plain new',
  'ln -s plain new',
  perl('sysopen(F, $n, 65, 0644)'),
  perl('sysopen(F, ".", 4259842, 0600)'),
  perl('sysopen(F, $p, 2)'),
  'setfattr -n user.a -v b plain',
  'setfattr -x user.text attributed',
  'timeout -s KILL 0.3 dd if=slow iflag=direct',
  'sh -c "echo 2 > /proc/sys/vm/drop_caches"',
];

if (isMainThread) {
  using folder = tempFolder('fuse-capture');
  const path = join(folder.path, 'mount');
  mkdirSync(path);
  const device = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rw,allow_other,rootmode=40000,user_id=0,group_id=0';
  execFileSync('mount', ['-i', '-t', 'fuse.shp-test', '-o', options, 'shp-test', path], {
    stdio: ['ignore', 'inherit', 'inherit', device],
  });
  const step = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(import.meta.url), { workerData: { device, step } });
  const taken = new Promise<[number, Uint8Array][]>((resolve) => worker.on('message', resolve));
  await statfs(path);
  try {
    for (const [index, command] of RUN.entries()) {
      Atomics.store(step, 0, index + 1);
      spawnSync('sh', ['-c', command], { cwd: path, stdio: 'ignore' });
    }
  } finally {
    Atomics.store(step, 0, RUN.length + 1);
    spawnSync('umount', [path]);
    spawnSync('umount', ['-l', path], { stdio: 'ignore' });
  }
  const ran = ['mount', ...RUN, 'umount'];
  const seen = new Set<string>();
  const frames: GoldenFrame[] = [];
  for (const [at, frame] of await taken) {
    const trace = traceRequest(frame);
    const operation = trace.split(' ')[0]!;
    // of look-ups and attributes the first of each kind of command will do
    const key = /^(LOOKUP|GETATTR|RELEASE|FORGET)$/.test(operation) ? operation : `${operation} ${at}`;
    if (seen.has(key)) continue;
    seen.add(key);
    frames.push({ ran: ran[at]!, frame, trace });
  }
  const file = fileURLToPath(new URL(`../golden/fuse/linux-${release().split('-')[0]}.txt`, import.meta.url));
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(
    file,
    goldenText(
      [
        `Requests of Linux ${release()} on ${process.arch}, taken by test/fuse/capture-frames.ts.`,
        'A command, its frame, its trace.',
      ],
      frames,
    ),
  );
} else {
  const { device, step } = workerData as { device: number; step: Int32Array };
  const frames: [number, Uint8Array][] = [];
  const inner = createDeviceChannel(device);
  const channel: FuseChannel = {
    ...inner,
    read: (into) => {
      const length = inner.read(into);
      if (length > 0) frames.push([Atomics.load(step, 0), into.slice(0, length)]);
      return length;
    },
  };
  const slow = { path: 'slow', kind: 'file', content: new Uint8Array(10), waits: true } as const;
  const filesystem = createMemoryFilesystem([...contractTree(), slow], {
    waiting: () => {},
    // a killed reader of a request that was read waits for its answer all the same
    interrupted: (id) => createDeferredReplies(inner).error(id, constants.errno.EINTR),
  });
  const components = { channel, filesystem, logger: silentLogger, poll: () => {}, agreed: () => {} };
  createFuseSession(components, { passthrough: false }).serve();
  parentPort!.postMessage(frames);
}
