import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { directory, file, type LayerEntry } from '../support/layer-tar.ts';
import { faultOf } from '../transfer/support/faults.ts';
import { type MountedRoot, mountedRoot, type Role, sha256 } from './support/mounted-root.ts';
import { readFileBy } from './support/reader.ts';

const BIG = randomBytes(8_000_000);
const FILES = 40;
/** Content of a small file, which no other one has. */
const small = (number: number): Buffer =>
  Buffer.from(createHash('sha512').update(String(number)).digest('hex').repeat(300));
const LAYER: readonly LayerEntry[] = [
  file('big', BIG),
  directory('small'),
  ...Array.from({ length: FILES }, (_, number) => file(`small/${number}`, small(number))),
];

let held: MountedRoot;
let target: string;
beforeEach(async () => {
  held = await mountedRoot([LAYER]);
  target = held.folder('a');
});
afterEach(() => held[Symbol.asyncDispose]());

/** All files of the image by programs of their own, at once; content comes slowly. */
function readAll(): Promise<unknown> {
  const wrong = async (path: string, content: Buffer): Promise<string | undefined> => {
    const digest = await readFileBy(join(target, path)).digest;
    return digest === sha256(content) ? undefined : path;
  };
  return Promise.all([
    wrong('big', BIG),
    ...Array.from({ length: FILES }, (_, number) => wrong(`small/${number}`, small(number))),
  ]).then((all) => all.filter((path) => path !== undefined));
}

async function mounted(delay: number, ...args: string[]): Promise<void> {
  held.away(0, { delay });
  await held.start(...args);
  await held.mount(target);
}

/** Reads wait now. */
async function someWait(): Promise<void> {
  while (((await held.status()).server?.chains[0]?.waiting ?? 0) === 0);
}

it.each([
  ['mount server', ['mount-server']],
  ['station', ['station']],
  ['mount server and station', ['mount-server', 'station']],
  ['station and mount server', ['station', 'mount-server']],
  ['keeper', ['keeper']],
  ['keeper and station', ['keeper', 'station']],
] as const)('readers do not notice that the %s is killed', async (_, roles: readonly Role[]) => {
  await mounted(300);
  const reading = readAll();
  await someWait();
  const before: [Role, number][] = [];
  for (const role of roles) before.push([role, await held.signal(role, 'SIGKILL')]);
  // a station that lost the keeper that would start it is the user's to start
  if (roles.includes('station') && roles.includes('keeper')) await held.start();
  for (const [role, pid] of before) await held.next(role, pid);
  expect(await reading).toEqual([]);
  expect(await held.call('list')).toMatchObject([{ target }]);
  expect(await held.unmount(target)).toEqual({ target });
  expect(readdirSync(target)).toEqual([]);
});

it('on a kernel that does not send requests again, the next mount server answers them', async () => {
  await mounted(2_000, '--resend', 'off');
  const reading = readAll();
  await someWait();
  for (let times = 0; times < 2; times++) {
    await held.next('mount-server', await held.signal('mount-server', 'SIGKILL'));
  }
  expect((await held.status()).server?.resend).toBe(false);
  expect(await reading).toEqual([]);
});

it('the station is started anew with the mounts it had, also where nobody reads', async () => {
  await mounted(0);
  const before = await held.signal('station', 'SIGKILL');
  await held.next('station', before);
  expect(await held.call('used')).toEqual([held.images[0]?.key]);
  expect(await held.call('list')).toMatchObject([{ target }]);
  expect(await readAll()).toEqual([]);
});

it('what is here is read while no station runs', async () => {
  await held.start();
  await held.mount(target);
  await held.signal('keeper', 'SIGSTOP');
  await held.signal('station', 'SIGKILL');
  expect(sha256(await readFile(join(target, 'big')))).toBe(sha256(BIG));
  await held.signal('keeper', 'SIGCONT');
});

it('what is here is read while the station is stalled', async () => {
  await held.start();
  await held.mount(target);
  await held.signal('station', 'SIGSTOP');
  expect(await readAll()).toEqual([]);
  await held.signal('station', 'SIGCONT');
});

it('a station that starts takes away what keeper and mount server left, and mounts anew', async () => {
  await held.start();
  await held.mount(target);
  await held.call('stop');
  await held.signal('keeper', 'SIGSTOP');
  await held.signal('mount-server', 'SIGKILL');
  await held.signal('keeper', 'SIGKILL');
  expect(held.mountpoints().length).toBeGreaterThan(0);
  await held.start();
  expect(held.mountpoints()).toEqual([]);
  expect(await held.call('list')).toEqual([]);
  expect(await held.call('used')).toEqual([]);
  expect(await faultOf(held.unmount(target))).toMatchObject({ code: 'not-mounted' });
  await held.mount(target);
  expect(await readAll()).toEqual([]);
});

it('a running station whose keeper and mount server are gone mounts anew', async () => {
  await held.start();
  await held.mount(target);
  await held.signal('keeper', 'SIGSTOP');
  const server = await held.signal('mount-server', 'SIGKILL');
  const keeper = await held.signal('keeper', 'SIGKILL');
  await held.mount(held.folder('b'));
  expect(held.pids('keeper')).not.toContain(keeper);
  expect(held.pids('mount-server')).not.toContain(server);
  expect(sha256(await readFile(join(held.folder('b'), 'big')))).toBe(sha256(BIG));
  expect(await held.call('list')).toMatchObject([{ target: held.folder('b') }]);
});
