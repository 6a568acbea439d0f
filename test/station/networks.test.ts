import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkView, PeerView, PushResult, StationStatus } from '../../src/observe/control/views.ts';
import { requirement } from '../support/requirement.ts';
import { writeGeneratedArchive } from './support/generated-image.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const group = stationGroup('networks');
let ours: TestStation;
let otherNet: TestStation;
let open: TestStation;

const archive = join(group.folder, 'image.tar');

beforeAll(async () => {
  await writeGeneratedArchive(archive, {
    layers: [{ seed: 'names', files: 3, bytes: 1000 }],
    names: ['hello:1'],
  });
  [ours, otherNet, open] = await Promise.all([
    group.start('ours', { net: NET }),
    group.start('other', { net: 'cd'.repeat(32) }),
    group.start('open'),
  ]);
}, 60_000);
afterAll(() => group.end());

const hasDefaultRoute = () =>
  readFileSync('/proc/net/route', 'latin1')
    .split('\n')
    .some((line) => line.split('\t')[1] === '00000000');

const fingerprint = async (station: TestStation) => (await station.json<NetworkView>(['net'])).fingerprint;

/** The other side may see the end of a handshake a little later. */
async function logged(station: TestStation, text: RegExp): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const found = station
      .log()
      .split('\n')
      .filter((line) => text.test(line));
    if (found[0] !== undefined) return found[0];
    if (attempt === 100) throw new Error(`${station.root} did not log ${text}:\n${station.log()}`);
    await sleep(50);
  }
}

describe('a peer of another network', () => {
  it.each([
    ['of another private one', () => otherNet],
    ['of the public one', () => open],
  ])(
    '%s is refused by name, and both logs say which key is meant',
    async (_, other) => {
      const ourPrint = await fingerprint(ours);
      const from = other();
      const dialled = await from.fault(['connect', await ours.addr()]);
      expect(dialled).toMatchObject({ exit: 5, kind: 'denied', code: 'other-network' });
      expect(dialled.message).toContain('network key');
      const print = await fingerprint(from);
      if (print !== undefined) expect(dialled.message).toContain(print);
      expect(await logged(ours, /network key/)).toContain(`fingerprint ${ourPrint}`);
      expect(await logged(from, /network key/)).toContain(print ?? 'public network');

      const back = await ours.fault(['connect', await from.addr()]);
      expect(back).toMatchObject({ exit: 5, kind: 'denied', code: 'other-network' });
      expect(back.message).toContain(`fingerprint ${ourPrint}`);

      const { network, peers } = await ours.json<StationStatus>(['status']);
      expect(peers).toBe(0);
      expect(network.refusals.join('\n')).toContain('network key');
      expect(await ours.ok(['status'])).toMatch(/^refused +\/ip4\/127\.0\.0\.1.*network key/m);
      expect((await from.json<StationStatus>(['status'])).network.refusals).not.toEqual([]);
    },
    60_000,
  );
});

describe('address lists', () => {
  it('a denied range is neither dialled nor let in', async () => {
    const closed = await group.init('closed', { net: NET });
    await closed.start('network.deny=127.0.0.0/8');
    const dial = await closed.fault(['connect', await ours.addr()]);
    expect(dial.exit).toBe(5);
    expect(dial.message).toMatch(/127\.0\.0\.1.*network\.deny/);
    const inbound = await ours.fault(['connect', await closed.addr()]);
    expect(inbound.kind).toMatch(/unavailable|denied/);
    expect(await closed.json<PeerView[]>(['peers'])).toEqual([]);
    expect((await closed.json<StationStatus>(['status'])).network.refusals.join('\n')).toContain('127.0.0.1');
    await closed.stop();
  }, 60_000);

  it('LAN only refuses an address of the internet, and takes loopback', async () => {
    const lan = await group.init('lan', { net: NET });
    await lan.start('network.lanOnly=true');
    const far = await lan.fault(['connect', `/ip4/104.236.32.22/tcp/4006/p2p/${ours.id}`]);
    expect(far.exit).toBe(5);
    expect(far.message).toMatch(/104\.236\.32\.22.*lanOnly/);
    await lan.connect(ours);
    expect(await lan.ok(['status'])).toContain('LAN only');
    await lan.stop();
  }, 60_000);
});

// multicast-dns sends where the default route points, and nowhere, silently, where there is none.
if (requirement('stations that find each other', hasDefaultRoute(), 'there is no default route')) {
  it('two stations of one network find each other by mDNS: a pull needs no connect', async () => {
    const set = ['network.mdns=true'];
    const net = randomBytes(32).toString('hex');
    const [left, right, elsewhere] = await Promise.all([
      group.start('left', { net, set }),
      group.start('right', { net, set }),
      group.start('elsewhere', { net: randomBytes(32).toString('hex'), set }),
    ]);
    const { publishedRoot } = await left.json<PushResult>(['push', archive]);
    expect(await right.ok(['pull', '--store-only', 'hello:1'])).toBe(`pulled /ipfs/${publishedRoot}/hello:1`);
    expect((await right.json<PeerView[]>(['peers'])).map(({ id }) => id)).toEqual([left.id]);
    expect(await elsewhere.json<PeerView[]>(['peers'])).toEqual([]);
    await Promise.all([left, right, elsewhere].map((station) => station.stop()));
  }, 60_000);
}

describe('names on the public network', () => {
  it('of a station that is not trusted are denied with a hint, and taken once it is', async () => {
    const stranger = await group.start('stranger');
    const pushed = await stranger.run(['push', archive]);
    expect(pushed.err).toContain(
      `note: on the public network this is reachable by connected peers only; on the other machine: dkr-shp connect ${await stranger.addr()}\n`,
    );
    const { publishedRoot } = await stranger.json<PushResult>(['push', archive]);
    await open.connect(stranger);
    const denied = await open.fault(['pull', '--store-only', 'hello:1']);
    expect(denied).toMatchObject({ exit: 5, kind: 'denied', code: 'untrusted-name' });
    expect(denied.message).toContain(`dkr-shp trust add`);
    expect(denied.message).toContain(stranger.id);
    await open.ok(['trust', 'add', stranger.id]);
    expect(await open.ok(['trust', 'ls'])).toContain(stranger.id);
    expect(await open.ok(['pull', '--store-only', 'hello:1'])).toBe(`pulled /ipfs/${publishedRoot}/hello:1`);
    await stranger.stop();
  }, 90_000);
});

describe('a name that two members of a private network give to different images', () => {
  it('is refused with both, until --from decides, which is remembered', async () => {
    const [mine, yours] = ['mine', 'yours'].map((seed) => join(group.folder, `${seed}.tar`)) as [
      string,
      string,
    ];
    await writeGeneratedArchive(mine, { layers: [{ seed: 'mine', files: 2, bytes: 900 }], names: ['app:1'] });
    await writeGeneratedArchive(yours, {
      layers: [{ seed: 'yours', files: 2, bytes: 900 }],
      names: ['app:1'],
    });
    const [second, reader] = await Promise.all([
      group.start('second', { net: NET }),
      group.start('reader', { net: NET }),
    ]);
    await ours.ok(['push', mine]);
    const { publishedRoot, imageRoot } = await second.json<PushResult>(['push', yours]);
    await reader.connect(ours, second);
    const both = await reader.fault(['pull', '--store-only', 'app:1']);
    expect(both).toMatchObject({ exit: 2, code: 'ambiguous-name' });
    for (const { id } of [ours, second]) expect(both.message).toContain(id);
    expect(both.message).toContain('--from <peer>');
    expect(await reader.ok(['pull', '--store-only', '--from', second.id, 'app:1'])).toBe(
      `pulled /ipfs/${publishedRoot}/app:1`,
    );
    await reader.ok(['rm', imageRoot]);
    expect(await reader.ok(['pull', '--store-only', 'app:1'])).toBe(`pulled /ipfs/${publishedRoot}/app:1`);
  }, 90_000);
});
