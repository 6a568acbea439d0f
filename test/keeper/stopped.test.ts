import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { connectKeeper } from '../../src/keeper/keeper-client.ts';
import { runLayout } from '../../src/keeper/run-layout.ts';
import { startKeeper } from '../../src/keeper/start-keeper.ts';
import { directory, file } from '../support/layer-tar.ts';
import { faultOf } from '../transfer/support/faults.ts';
import { type MountedRoot, mountedRoot, type Role, sha256 } from './support/mounted-root.ts';
import { readFileBy } from './support/reader.ts';

const BIG = randomBytes(6_000_000);
const LAYER = [directory('srv'), file('srv/big', BIG), file('srv/note', 'a note\n')];
const signal = AbortSignal.timeout(60_000);

let held: MountedRoot;
let target: string;
beforeEach(async () => {
  held = await mountedRoot([LAYER]);
  target = held.folder('a');
});
afterEach(() => held[Symbol.asyncDispose]());

async function ended(...roles: Role[]): Promise<void> {
  while (roles.some((role) => held.pids(role).length > 0))
    await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('a station that stops', () => {
  it('takes keeper and mount server with it where nothing is mounted', async () => {
    await held.start();
    await held.mount(target);
    await held.unmount(target);
    await held.call('stop');
    await ended('station', 'mount-server', 'keeper');
    expect(held.mountpoints()).toEqual([]);
    expect(existsSync(runLayout(held.root).keeperSocket)).toBe(false);
    await held.start();
    await held.mount(target);
    expect(sha256(await readFile(join(target, 'srv/big')))).toBe(sha256(BIG));
  });

  it('leaves mounts that go on without it, and finds them again', async () => {
    await held.start();
    const mount = await held.mount(target);
    expect(await held.call('release', { all: false, force: false })).toEqual({
      left: [mount],
      unmounted: [],
    });
    await held.call('stop');
    await ended('station');
    expect(held.pids('keeper')).toHaveLength(1);
    expect(held.pids('mount-server')).toHaveLength(1);
    expect(sha256(await readFile(join(target, 'srv/big')))).toBe(sha256(BIG));
    await held.start();
    expect(await held.call('list')).toEqual([mount]);
    expect(await held.call('used')).toEqual([held.images[0]?.key]);
    expect(await held.unmount(target)).toEqual({ target });
  });

  it('is not started anew', async () => {
    await held.start();
    await held.mount(target);
    const keeper = await connectKeeper(runLayout(held.root).keeperSocket);
    await held.call('stop');
    await ended('station');
    expect(await keeper.ask({ ask: 'status' }, signal)).toMatchObject({ stationRestarts: 0 });
    expect(held.pids('station')).toEqual([]);
    keeper.close();
  });

  it('answers reads that wait when it is back', async () => {
    held.away(0, { hold: true });
    await held.start();
    await held.mount(target);
    const reader = readFileBy(join(target, 'srv/big'));
    while (((await held.status()).server?.chains[0]?.waiting ?? 0) === 0);
    await held.call('stop');
    await ended('station');
    held.away(0);
    await held.start();
    expect(await reader.digest).toBe(sha256(BIG));
  });
});

describe('stop --all', () => {
  it('refuses while something is mounted, and says what', async () => {
    await held.start();
    await held.mount(target);
    expect(await faultOf(held.call('release', { all: true, force: false }))).toMatchObject({
      kind: 'busy',
      code: 'mounts-in-use',
      fields: { mounts: [target] },
    });
    expect(await readFile(join(target, 'srv/note'), 'utf8')).toBe('a note\n');
  });

  it('ends what is mounted by force, open files too', async () => {
    await held.start();
    const mount = await held.mount(target, { writable: true });
    const opened = await open(join(target, 'srv/big'));
    expect(await held.call('release', { all: true, force: true })).toEqual({ left: [], unmounted: [mount] });
    await ended('mount-server', 'keeper');
    expect(held.mountpoints()).toEqual([]);
    expect(readdirSync(target)).toEqual([]);
    expect(await held.call('used')).toEqual([]);
    expect(await held.call('uppers')).toMatchObject([{ target, upper: mount.upper }]);
    // the kernel has nobody left to tell
    await opened.close().catch(() => {});
    await held.mount(target);
    expect(sha256(await readFile(join(target, 'srv/big')))).toBe(sha256(BIG));
  });

  it('ends all where nothing is mounted', async () => {
    await held.start();
    await held.call('ensure');
    expect(await held.call('release', { all: true, force: false })).toEqual({ left: [], unmounted: [] });
    await ended('mount-server', 'keeper');
    expect(held.mountpoints()).toEqual([]);
  });
});

describe('a planned replacement', () => {
  it.each(['replace-mount-server', 'replace-keeper'] as const)(
    '%s is not noticed by readers',
    async (ask) => {
      const role = ask === 'replace-keeper' ? 'keeper' : 'mount-server';
      held.away(0, { delay: 100 });
      await held.start();
      await held.mount(target);
      const reader = readFileBy(join(target, 'srv/big'));
      while (((await held.status()).server?.chains[0]?.waiting ?? 0) === 0);
      for (let times = 0; times < 2; times++) {
        const [before = 0] = held.pids(role);
        const keeper = await connectKeeper(runLayout(held.root).keeperSocket);
        await keeper.ask({ ask }, signal);
        keeper.close();
        await held.next(role, before);
      }
      expect(await reader.digest).toBe(sha256(BIG));
      expect((await held.status()).keeper?.mountServerRestarts).toBe(role === 'keeper' ? 0 : 2);
      expect(await held.unmount(target)).toEqual({ target });
    },
  );

  it('of both comes with a station of another version', async () => {
    await held.start();
    await held.mount(target);
    const [keeper = 0] = held.pids('keeper');
    const [server = 0] = held.pids('mount-server');
    const opened = await open(join(target, 'srv/big'));
    await held.call('stop');
    await ended('station');
    await held.start('--version', '9.9.9');
    expect(await held.next('keeper', keeper)).not.toBe(keeper);
    expect(await held.next('mount-server', server)).not.toBe(server);
    expect(sha256(await opened.readFile())).toBe(sha256(BIG));
    await opened.close();
    expect(await held.unmount(target)).toEqual({ target });
  });

  it('of the mount server needs no station', async () => {
    await held.start();
    await held.mount(target);
    await held.call('stop');
    await ended('station');
    const keeper = await connectKeeper(runLayout(held.root).keeperSocket);
    const [before] = held.pids('mount-server');
    const status = await keeper.ask({ ask: 'replace-mount-server' }, signal);
    expect(status).not.toMatchObject({ mountServer: before });
    keeper.close();
    expect(sha256(await readFile(join(target, 'srv/big')))).toBe(sha256(BIG));
  });
});

describe('a keeper', () => {
  it('runs once for a root', async () => {
    await held.start();
    await held.mount(target);
    const [keeper] = held.pids('keeper');
    startKeeper(held.root);
    while (held.pids('keeper').length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    while (held.pids('keeper').length > 1) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(held.pids('keeper')).toEqual([keeper]);
  });

  it('ends when somebody unmounts FUSE', async () => {
    await held.start();
    await held.mount(target);
    await held.unmount(target);
    execFileSync('umount', [runLayout(held.root).fuse]);
    await ended('mount-server', 'keeper');
    await held.mount(target);
    expect(sha256(await readFile(join(target, 'srv/big')))).toBe(sha256(BIG));
  });

  it('drops who talks nonsense', async () => {
    await held.start();
    await held.call('ensure');
    for (const line of [
      'nonsense\n',
      '{"id":1,"ask":"burn"}\n',
      '{"id":1,"ask":"end"}\n',
      'x'.repeat(2 ** 20 + 2),
    ]) {
      const socket = createConnection(runLayout(held.root).keeperSocket);
      socket.on('error', () => {});
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(line);
      socket.resume();
      await closed;
    }
    expect((await held.status()).keeper?.mountServer).toBe(held.pids('mount-server')[0]);
  });
});
