import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stationTag } from '../../src/config/identity-file.ts';
import type { StationStatus } from '../../src/observe/control/views.ts';
import { buildImage, dockerArchive } from '../support/image-archive.ts';
import { directory, file } from '../support/layer-tar.ts';
import { runCli, stationGroup, type TestStation } from './support/station-process.ts';

const group = stationGroup('screens');
afterAll(() => group.end());

const NET = 'QmPzugFx3ysr8BujxZ3dkBiRYnuS2D63ndkAdq3W7J';
const image = buildImage({
  layers: [[directory('bin'), file('bin/go-ipfs', 'an engine of starships'), file('empty')]],
  names: ['jbenet/go-ipfs:latest'],
});
const ID = image.imageId.slice(7, 19);
const archive = join(group.folder, 'image.tar');
writeFileSync(archive, dockerArchive([image]));

const CID = '(baf[a-z2-7]{56})';
const earth = join(group.folder, 'earth');
const mars = join(group.folder, 'mars');
const at = (root: string, ...args: string[]) => runCli(['--root', root, ...args], { cwd: group.folder });
const LOOPBACK = ['--set', 'network.listen=/ip4/127.0.0.1/tcp/0', '--set', 'network.mdns=false'];

async function tagOf(root: string): Promise<string> {
  const { out } = await at(root, '--json', 'status');
  return stationTag(JSON.parse(out).peerId);
}

describe('the announced screens, on two stations', () => {
  it('go as they were shown', async () => {
    expect(await at(earth, 'init', '--net', NET)).toMatchObject({
      code: 0,
      out: `initialized shp station (registry) at ${earth}\n`,
    });
    expect(await at(mars, 'init', '--net', NET)).toMatchObject({
      code: 0,
      out: `initialized shp station (registry) at ${mars}\n`,
    });
    const started = await at(earth, 'start', ...LOOPBACK);
    expect(started).toEqual({
      code: 0,
      out: `started shp station (registry) ${await tagOf(earth)}\n`,
      err: '',
    });
    expect(started.out).toMatch(/^started shp station \(registry\) [0-9a-f]{16}\n$/);
    await at(mars, 'start', ...LOOPBACK);

    const pushed = await at(earth, 'push', './image.tar');
    expect([pushed.code, pushed.out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^published as /ipfs/${CID}/${ID}\n$`)),
    ]);
    const root = new RegExp(CID).exec(pushed.out)?.[1] as string;
    // Pushed again, even under a further name, what is here stays what it is.
    expect((await at(earth, 'push', './image.tar')).out).toBe(pushed.out);

    const addrs = await at(earth, 'addrs');
    expect([addrs.code, addrs.err]).toEqual([0, '']);
    expect(addrs.out).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3KooW\w{44}\n$/);
    const addr = addrs.out.trimEnd();
    const peer = addr.split('/p2p/')[1] as string;
    expect(await at(mars, 'peers')).toEqual({ code: 0, out: '', err: '' });
    expect(await at(mars, 'connect', addr.replace('/p2p/', '/ipfs/'))).toEqual({
      code: 0,
      out: `connected to ${peer}\n`,
      err: '',
    });
    expect(await at(mars, 'peers')).toEqual({ code: 0, out: `${addr}\n`, err: '' });

    const pulled = await at(mars, 'pull', ID);
    expect([pulled.code, pulled.out]).toEqual([0, `pulled /ipfs/${root}/${ID}\n`]);
    expect(pulled.err).toMatch(/^layer 0 [0-9a-f]{12}: done \d\S* kB$/m);
    expect(pulled.err).toMatch(/^total (\d\S* kB) of \1, 0 B already here, .*\/s/m);
    expect(pulled.err).toContain("note: not added to docker, only to the station's store");
    const byAddress = await at(mars, 'pull', '--store-only', `/ipfs/${root}/${ID}`);
    expect([byAddress.code, byAddress.out]).toEqual([0, `pulled /ipfs/${root}/${ID}\n`]);
    const byName = await at(mars, 'pull', '--store-only', 'jbenet/go-ipfs');
    expect([byName.code, byName.out]).toEqual([0, `pulled /ipfs/${root}/jbenet/go-ipfs\n`]);
    const verified = await at(mars, 'verify', ID);
    expect([verified.code, verified.out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^verified ${CID}: 1 layer, \\d objects, .*\n$`)),
    ]);
  }, 120_000);

  it('the file that a pull writes is the image that was pushed', async () => {
    const path = join(group.folder, 'out.tar');
    expect((await at(mars, 'pull', ID, '-o', path)).code).toBe(0);
    const written = readFileSync(path);
    expect(written.includes(image.config)).toBe(true);
    expect(written.includes(image.layers[0]?.tar as Buffer)).toBe(true);
  }, 60_000);

  it('--json prints one document for each of them', async () => {
    const pull = JSON.parse((await at(mars, '--json', 'pull', '--store-only', ID)).out);
    expect(pull).toMatchObject({
      address: expect.stringMatching(new RegExp(`^/ipfs/${CID}/${ID}$`)),
      manifests: [{ imageId: image.imageId }],
      totals: { moved: 0 },
    });
    const push = JSON.parse((await at(earth, '--json', 'push', './image.tar')).out);
    expect(push).toMatchObject({
      network: 'private',
      names: expect.arrayContaining(['jbenet/go-ipfs:latest']),
    });
    const [peer] = JSON.parse((await at(mars, '--json', 'peers')).out);
    expect(peer).toMatchObject({ station: true, direction: 'outbound', received: expect.any(Number) });
    expect(JSON.parse((await at(earth, '--json', 'addrs')).out)).toEqual([expect.stringContaining('/tcp/')]);
    expect(JSON.parse((await at(mars, '--json', 'ls')).out)).toMatchObject([
      { root: pull.imageRoot, state: 'pinned', shared: true },
    ]);
    expect(JSON.parse((await at(mars, '--json', 'status')).out)).toMatchObject({
      root: mars,
      network: { kind: 'private', refusals: [] },
      peers: 1,
      stations: 1,
      images: 1,
    });
  }, 60_000);

  it('start twice and stop twice say so, with exit code 0', async () => {
    const line = `shp station (registry) ${await tagOf(mars)}\n`;
    expect(await at(mars, 'start')).toEqual({ code: 0, out: `already running: ${line}`, err: '' });
    expect(await at(mars, 'stop')).toEqual({ code: 0, out: `stopped ${line}`, err: '' });
    expect(await at(mars, 'stop')).toEqual({ code: 0, out: 'no shp station is running\n', err: '' });
    expect(existsSync(join(mars, 'control.sock'))).toBe(false);
    expect(await at(mars, 'ls')).toEqual({
      code: 4,
      out: '',
      err: expect.stringMatching(/^error: no shp station is running: run dkr-shp --root \S+ start\n$/),
    });
    const fault = JSON.parse((await at(mars, '--json', 'pull', ID)).err);
    expect(fault).toMatchObject({
      event: 'fault',
      fault: { kind: 'unavailable', code: 'station-not-running' },
    });
  }, 60_000);
});

describe('init', () => {
  it('twice changes nothing and says so', async () => {
    const files = ['identity.key', 'swarm.key', 'settings.toml'].map((name) => join(earth, name));
    const state = () => files.map((path) => [readFileSync(path, 'hex'), statSync(path).mtimeMs]);
    const before = state();
    const line = `already initialized: shp station (registry) at ${earth}, nothing changed\n`;
    expect(await at(earth, 'init')).toMatchObject({ code: 0, out: line });
    expect(await at(earth, 'init', '--net', NET)).toMatchObject({ code: 0, out: line });
    const other = await at(earth, 'init', '--net', 'another network altogether');
    expect(other).toMatchObject({ code: 8, out: '' });
    expect(other.err).toMatch(
      /^error: the station at \S+earth is on the private network [0-9a-f]{8}, not on/,
    );
    expect(state()).toEqual(before);
  }, 60_000);

  it('--net alone makes a key that the next station joins with', async () => {
    const first = join(group.folder, 'venus');
    const made = await at(first, '--json', 'init', '--net');
    const { key, fingerprint } = JSON.parse(made.out);
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    const file = await at(first, 'net', 'key');
    expect(file.out).toBe(`/key/swarm/psk/1.0.0/\n/base16/\n${key}\n`);
    const second = join(group.folder, 'pluto');
    const joined = await runCli(['--json', '--root', second, 'init', '--net', '-'], { input: file.out });
    expect(JSON.parse(joined.out)).toMatchObject({ created: true, network: 'private', fingerprint });
    const third = join(group.folder, 'ceres');
    const byFile = await at(third, '--json', 'init', '--net', join(first, 'swarm.key'));
    expect(JSON.parse(byFile.out)).toMatchObject({ network: 'private', fingerprint });
  }, 60_000);
});

describe('start that cannot', () => {
  let first: TestStation;
  let second: TestStation;
  let port: string;
  beforeAll(async () => {
    first = await group.start('first');
    port = /\/tcp\/(\d+)/.exec(await first.addr())?.[1] as string;
    second = await group.init('second');
  }, 60_000);

  it('names the address that is taken, and leaves nothing running', async () => {
    const listen = `/ip4/127.0.0.1/tcp/${port}`;
    const fault = await second.fault(['start', '--set', `network.listen=${listen}`]);
    expect(fault).toMatchObject({ exit: 4, code: 'cannot-listen' });
    expect(fault.message).toContain(`${listen}: the port is taken`);
    expect(second.pid()).toBeUndefined();
    expect(existsSync(join(second.root, 'control.sock'))).toBe(false);
    expect(await second.start()).toBeGreaterThan(0);
  }, 60_000);

  it('--foreground is the station itself, and ends in order with a signal', async () => {
    const third = await group.init('third');
    const running = third.begin(['start', '--foreground']);
    while ((await third.run(['status'])).code !== 0) expect(running.child.exitCode).toBeNull();
    expect((await third.json<StationStatus>(['status'])).pid).toBe(running.child.pid);
    running.child.kill('SIGTERM');
    expect(await running.done).toMatchObject({ code: 0, out: '' });
    expect(existsSync(join(third.root, 'control.sock'))).toBe(false);
    expect(existsSync(join(third.root, 'store.lock'))).toBe(false);
  }, 60_000);

  it('a second process on one root finds it held by the first', async () => {
    const entry = new URL('../../src/bin/station.ts', import.meta.url).pathname;
    const found = spawnSync(process.execPath, [entry, '--root', first.root], { encoding: 'utf8' });
    expect(found.status).not.toBe(0);
    expect(found.stderr).toContain(`the store at ${first.root} is in use by process ${first.pid()}`);
    expect(await first.ok(['ls'])).toContain('NAME');
  }, 60_000);

  it('names an unknown key of the settings file, and a value that is none', async () => {
    await second.stop();
    const path = join(second.root, 'settings.toml');
    const good = readFileSync(path, 'utf8');
    writeFileSync(path, `${good}\n[fetsch]\nwindow = "1 MiB"\n`);
    const unknown = await second.fault(['start']);
    expect(unknown).toMatchObject({ exit: 2, kind: 'invalid' });
    expect(unknown.message).toContain('fetsch');
    expect(unknown.message).toContain(path);
    writeFileSync(path, `share = "everything"\n${good}`);
    expect((await second.fault(['start'])).message).toMatch(/share.*everything|everything.*share/);
    writeFileSync(path, good);
    expect(second.pid()).toBeUndefined();
  }, 60_000);
});
