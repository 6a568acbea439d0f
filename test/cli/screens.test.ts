import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIdentity, stationTag } from '../../src/config/identity-file.ts';
import { IMAGE, IMAGE_ROOT, PEER, ROOT } from '../doors/control/memory-station.ts';
import { runCommand } from './fixture/run-command.ts';
import { suiteStation } from './fixture/suite-station.ts';

const { station, folder, root, close, shp, here } = suiteStation('cli');

describe('the announced screens', () => {
  it('dkr-shp alone begins with the announced text', async () => {
    const { code, out, err } = await shp([]);
    expect([code, err]).toEqual([0, '']);
    expect(out.slice(0, out.indexOf('\n\ndkr-shp stop'))).toBe(`shp - containers at hyperspeed

shp (starship) uses IPFS, a p2p merkle-dag transport, to move around container images. This is dkr-shp, the docker-specific tool for shp.

COMMANDS
dkr-shp init                  initialize a shp station
dkr-shp start                 start the shp station
dkr-shp push <docker-id>      publish given docker image on this host
dkr-shp pull <ipfs-hash>      pull down docker image, add it to docker`);
    expect((await here(['--help'])).out).toBe(out);
    expect((await here(['help'])).out).toBe(out);
  });

  it.each<[string[], string]>([
    [['pull', 'c1d9bf8d8844'], `pulled /ipfs/${ROOT}/c1d9bf8d8844\n`],
    [['pull', 'jbenet/go-ipfs'], `pulled /ipfs/${ROOT}/jbenet/go-ipfs\n`],
    [['addrs'], `/ip4/127.0.0.1/tcp/4001/p2p/${PEER}\n`],
    [['peers'], ''],
    [['connect', `/ip4/104.236.32.22/tcp/4006/ipfs/${PEER}`], `connected to ${PEER}\n`],
    [['trust', 'add', PEER], `trusted ${PEER}\n`],
    [['trust', 'ls'], ''],
    [['rm', 'c1d9bf8d8844'], `removed ${IMAGE_ROOT}\n`],
    [['gc'], 'freed 5.00 MB: 3 objects, 4 blocks\n'],
    [['verify', 'c1d9bf8d8844'], `verified ${IMAGE_ROOT}: 1 layer, 10 objects, 300 B\n`],
    [['net'], 'public\n'],
    [['debug', 'layer', ROOT], 'd 0755 0:0 0 /\n- 0644 0:0 5 /a\n'],
    [['--version'], '0.1.0\n'],
  ])('%j prints one result on stdout', async (args, expected) => {
    const { code, out } = await here(args);
    expect(out).toBe(expected);
    expect(code).toBe(0);
  });

  it('push of a file names it by id, sends every byte, and says who can reach it', async () => {
    const archive = randomBytes(3_000_000);
    writeFileSync(join(folder(), 'image.tar'), archive);
    const { code, out, err } = await shp(['push', './image.tar'], { cwd: folder() });
    expect(out).toBe(`published as /ipfs/${ROOT}/c1d9bf8d8844\n`);
    expect(err).toBe(
      `layer 0 8d3ac3489996: reading 300 B\na note\nlayer 0 8d3ac3489996: done 300 B (100 B already here)\ntotal 300 B of 300 B, 100 B already here, 1.00 MB/s, 2 peers\nnote: on the public network this is reachable by connected peers only; on the other machine: dkr-shp connect /ip4/192.0.2.1/tcp/4001/p2p/${PEER}\n`,
    );
    expect(code).toBe(0);
    expect(station.pushed).toEqual([createHash('sha256').update(archive).digest('hex')]);
  });

  it('peers prints an address a line, and connect takes /ipfs/', async () => {
    await shp(['connect', `/ip4/104.236.32.22/tcp/4006/ipfs/${PEER}`]);
    expect((await shp(['peers'])).out).toBe(`/ip4/104.236.32.22/tcp/4006/ipfs/${PEER}\n`);
  });

  it('ls, inspect and status are tables', async () => {
    const list = (await shp(['ls'])).out.split('\n');
    expect(list[0]).toMatch(/^NAME +ID +PLATFORM +SIZE +BLOBS +STATE +COPIES +USED +ROOT$/);
    expect(list[1]).toMatch(
      new RegExp(
        `^jbenet/go-ipfs:latest +c1d9bf8d8844 +linux/amd64 +123 MB +- +pinned, shared +2 +\\d+ d ago +${IMAGE_ROOT}$`,
      ),
    );
    const detail = (await shp(['inspect', 'c1d9bf8d8844'])).out;
    expect(detail).toContain(`image id ${IMAGE.manifests[0]?.imageId}`);
    expect(detail).toMatch(/0 +e{12} +125 MB +9876 +baf/);
    expect((await shp(['status'])).out).toContain(`peer id   ${PEER}\n`);
  });
});

describe('init', () => {
  it('says where, says it once, and changes nothing the second time', async () => {
    const at = join(folder(), 'other');
    const first = await runCommand(['--root', at, 'init']);
    expect(first).toEqual({
      code: 0,
      out: `initialized shp station (registry) at ${at}\n`,
      err: expect.stringMatching(/^note: .*public IPFS network.*\n$/),
    });
    const identity = readFileSync(join(at, 'identity.key'));
    const second = await runCommand(['--root', at, 'init']);
    expect(second).toEqual({
      code: 0,
      out: `already initialized: shp station (registry) at ${at}, nothing changed\n`,
      err: '',
    });
    expect(readFileSync(join(at, 'identity.key'))).toEqual(identity);
  });

  it('--net makes a key and prints it with its fingerprint; others join with it', async () => {
    const first = await runCommand(['--root', join(folder(), 'a'), 'init', '--net']);
    expect(first.out).toBe(`initialized shp station (registry) at ${join(folder(), 'a')}\n`);
    const [, fingerprint, key] = /private network ([0-9a-f]{8});.*\n([0-9a-f]{64})\n$/.exec(first.err) ?? [];
    expect(key).toBeDefined();
    const second = await runCommand([
      '--root',
      join(folder(), 'b'),
      '--json',
      'init',
      '--net',
      key as string,
    ]);
    expect(JSON.parse(second.out)).toMatchObject({ network: 'private', fingerprint, created: true });
    const keyFile = (await runCommand(['--root', join(folder(), 'a'), 'net', 'key'])).out;
    expect(keyFile).toBe(readFileSync(join(folder(), 'a/swarm.key'), 'utf8'));
    const third = await runCommand(['--root', join(folder(), 'c'), '--json', 'init', '--net', '-'], {
      input: keyFile,
    });
    expect(JSON.parse(third.out)).toMatchObject({ fingerprint });
    expect((await runCommand(['--root', join(folder(), 'c'), 'net'])).out).toBe(`private ${fingerprint}\n`);
    const again = await runCommand(['--root', join(folder(), 'a'), 'init', '--net']);
    expect([again.code, again.out]).toEqual([0, expect.stringContaining('already initialized')]);
  });

  it("takes the screens' hash, and warns of a short key", async () => {
    const hash = 'QmPzugFx3ysr8BujxZ3dkBiRYnuS2D63ndkAdq3W7J';
    const long = await runCommand(['--root', join(folder(), 'd'), 'init', '--net', hash]);
    expect(long.out).toBe(`initialized shp station (registry) at ${join(folder(), 'd')}\n`);
    expect(long.err).not.toContain('characters');
    const short = await runCommand(['--root', join(folder(), 'e'), 'init', '--net', 'hunter2']);
    expect(short.err).toContain('only 7 characters');
  });

  it('--set writes into the settings file', async () => {
    const at = join(folder(), 'f');
    await runCommand([
      '--root',
      at,
      'init',
      '--set',
      'network.listen=/ip4/127.0.0.1/tcp/0',
      '--set',
      'share=none',
    ]);
    expect(readFileSync(join(at, 'settings.toml'), 'utf8')).toMatch(
      /^listen = \["\/ip4\/127\.0\.0\.1\/tcp\/0"\]$/m,
    );
    const wrong = await runCommand(['--root', join(folder(), 'g'), 'init', '--set', 'fetch.windwo=1']);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('did you mean fetch.window?')]);
    expect(existsSync(join(folder(), 'g'))).toBe(false);
  });
});

describe('start and stop', () => {
  beforeEach(() => close());

  it('start returns when the station answers, stop when it has ended', async () => {
    const { peerId } = await readIdentity(root());
    const line = `shp station (registry) ${stationTag(peerId)}\n`;
    expect(await shp(['start'])).toEqual({ code: 0, out: `started ${line}`, err: '' });
    expect((await shp(['start'])).out).toBe(`already running: ${line}`);
    const { pid } = JSON.parse((await shp(['--json', 'status'])).out);
    expect(await shp(['stop'])).toEqual({ code: 0, out: `stopped ${line}`, err: '' });
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
    expect(await shp(['stop'])).toEqual({ code: 0, out: 'no shp station is running\n', err: '' });
  });

  it('start says why the station could not', async () => {
    expect(await shp(['start', '--set', 'log.level=debug'])).toMatchObject({ code: 1, out: '' });
    const died = await shp(['start', '--set', 'log.level=warn']);
    expect([died.code, died.err]).toEqual([4, expect.stringContaining(join(root(), 'station.log'))]);
    const wrong = await shp(['start', '--set', 'log.level=loud']);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('one of debug, info, warn, error')]);
  });

  it('start --foreground becomes the station: same process, its signals', async () => {
    const { code, err } = await shp(['start', '--foreground'], {
      during: (child) => child.stderr?.once('data', () => child.kill('SIGTERM')),
    });
    expect([code, err]).toEqual([0, 'in the foreground\n']);
  });

  it('every command says how to start a station that does not run', async () => {
    for (const args of [['status'], ['push', 'x'], ['pull', 'x'], ['ls'], ['gc'], ['peers'], ['addrs']]) {
      expect(await here(args)).toEqual({
        code: 4,
        out: '',
        err: 'error: no shp station is running: run dkr-shp start\n',
      });
    }
    const none = await runCommand(['--root', join(folder(), 'none'), 'ls']);
    expect([none.code, none.err]).toEqual([
      4,
      expect.stringMatching(/none init, then dkr-shp --root .*none start\n$/),
    ]);
    const start = await runCommand(['--root', join(folder(), 'none'), 'start']);
    expect([start.code, start.err]).toEqual([3, expect.stringContaining('run dkr-shp init first')]);
  });
});
