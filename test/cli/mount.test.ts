import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initRoot } from '../../src/config/init-root.ts';
import type { ControlDoor } from '../../src/doors/control/control-door.ts';
import { createControlDoor } from '../../src/doors/control/create-control-door.ts';
import type { MountsView } from '../../src/observe/control/mount-views.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import {
  createMemoryStation,
  IMAGE_ROOT,
  MANIFEST,
  type MemoryStation,
  type MemoryStationOptions,
  PEER,
  ROOT,
} from '../doors/control/memory-station.ts';
import { runHere } from './fixture/run-command.ts';

let folder: string;
let root: string;
let station: MemoryStation;
let door: ControlDoor;

async function open(options: MemoryStationOptions = {}): Promise<void> {
  await door?.close();
  station = createMemoryStation({ root, ...options });
  door = createControlDoor(station, { log: silentLogger });
  await door.listen(join(root, 'control.sock'));
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shp-cli-mount-'));
  root = join(folder, 'root');
  await initRoot(root);
  await open();
  for (const name of ['mnt', 'other', 'busy']) mkdirSync(join(folder, name));
});
afterEach(async () => {
  await door.close();
  rmSync(folder, { recursive: true });
});

const here = (...args: string[]) => runHere(args, { SHP_ROOT: root });
const at = (name: string) => join(folder, name);

describe('mount', () => {
  it('prints where the image is, and what a user should know', async () => {
    const { code, out, err } = await here('mount', 'jbenet/go-ipfs', at('mnt'));
    expect([code, out]).toEqual([0, `mounted /ipfs/${ROOT}/jbenet/go-ipfs at ${at('mnt')}\n`]);
    expect(err).toBe('note: what it uses first is known (its start-up profile) and fetched first\n');
    expect(station.mountsAsked).toEqual([{ reference: 'jbenet/go-ipfs', target: at('mnt') }]);
  });

  it('takes every option along, and says where the upper lies', async () => {
    const options = ['--rw', '--suid', '--dev', '--from', PEER, '--platform', 'linux/amd64'];
    const { code, err } = await here('mount', ...options, 'c1d9bf8d8844', at('mnt'));
    expect(code).toBe(0);
    expect(err).toContain(
      'note: what is written goes to /var/lib/shp/uppers/1/upper; umount removes it, umount --keep keeps it\n',
    );
    expect(station.mountsAsked).toEqual([
      {
        reference: 'c1d9bf8d8844',
        target: at('mnt'),
        writable: true,
        suid: true,
        dev: true,
        from: PEER,
        platform: 'linux/amd64',
      },
    ]);
  });

  it('goes to the directory behind a link', async () => {
    symlinkSync(at('mnt'), at('link'));
    expect((await here('mount', 'c1d9bf8d8844', at('link'))).out).toContain(` at ${at('mnt')}\n`);
    expect((await here('umount', at('link'))).out).toBe(`unmounted ${at('mnt')}\n`);
  });

  it('says why reads are not passed through', async () => {
    await open({
      mounts: { server: { passthrough: false, passthroughWhy: 'this kernel is older than 6.9' } },
    });
    const { err } = await here('mount', 'c1d9bf8d8844', at('mnt'));
    expect(err).toContain('note: reads go through the mount server: this kernel is older than 6.9\n');
    expect((await here('status')).out).toContain('read (this kernel is older than 6.9), 340 opens by');
  });

  it('alone lists what is mounted', async () => {
    expect(await here('mount')).toEqual({ code: 0, out: '', err: '' });
    await here('mount', '--rw', 'c1d9bf8d8844', at('mnt'));
    const lines = (await here('mount')).out.split('\n');
    expect(lines[0]).toMatch(/^AT +IMAGE +READS +CONTENT$/);
    expect(lines[1]).toMatch(
      /mnt +jbenet\/go-ipfs:latest +rw +passthrough +45\.0 MB of 300 MB here \(15 %\)/,
    );
    const { mounts, server } = JSON.parse((await here('--json', 'mount')).out) as MountsView;
    expect([mounts.map(({ target }) => target), server?.resend]).toEqual([[at('mnt')], true]);
  });

  it('--json is one document', async () => {
    const { out } = await here('--json', 'mount', 'c1d9bf8d8844', at('mnt'));
    expect(JSON.parse(out)).toMatchObject({
      address: `/ipfs/${ROOT}/c1d9bf8d8844`,
      imageRoot: IMAGE_ROOT,
      manifestRoot: MANIFEST.root,
      target: at('mnt'),
      writable: false,
      mode: 'passthrough',
      complete: false,
    });
  });

  it.each<[string, string[], number, RegExp]>([
    ['no directory', ['c1d9bf8d8844'], 2, /give a directory: dkr-shp mount c1d9bf8d8844 <dir>/],
    ['a directory that is not there', ['c1d9bf8d8844', '@/none'], 3, /no directory \S+none: make it first/],
    ['a file', ['c1d9bf8d8844', '@/file'], 2, /file is not a directory/],
    ['a path below a file', ['c1d9bf8d8844', '@/file/x'], 2, /is not a directory/],
    ["the station's root", ['c1d9bf8d8844', '@/root'], 2, /lies in the station's own root/],
    ["a folder in the station's root", ['c1d9bf8d8844', '@/root/cas'], 2, /lies in the station's own root/],
    ["a link into the station's root", ['c1d9bf8d8844', '@/into'], 2, /lies in the station's own root/],
    ["what holds the station's root", ['c1d9bf8d8844', '@'], 2, /would hide the station's root/],
    ['/', ['c1d9bf8d8844', '/'], 2, /would hide the station's root/],
    ['an unknown image', ['nothing', '@/mnt'], 3, /no image nothing is here/],
    ['an image that nobody vouches for', ['forged', '@/mnt'], 5, /give --from <peer>/],
    ['an unknown option', ['--ro', 'c1d9bf8d8844', '@/mnt'], 2, /unknown option '--ro'/],
    ['too much', ['c1d9bf8d8844', '@/mnt', 'x'], 2, /too many arguments/],
  ])('%s is refused', async (_, args, code, message) => {
    writeFileSync(at('file'), '');
    mkdirSync(at('root/cas'), { recursive: true });
    symlinkSync(at('root/cas'), at('into'));
    const result = await here('mount', ...args.map((arg) => arg.replace('@', folder)));
    expect(result.err).toMatch(message);
    expect([result.code, result.out]).toEqual([code, '']);
  });

  it('refuses a place that is one of its mounts, by any of its names', async () => {
    symlinkSync(at('mnt'), at('link'));
    await here('mount', 'c1d9bf8d8844', at('mnt'));
    for (const name of ['mnt', 'link', 'other/../mnt']) {
      const { code, err } = await here('mount', 'c1d9bf8d8844', `${folder}/${name}`);
      expect([code, err]).toEqual([8, expect.stringContaining('is mounted at')]);
    }
  });
});

describe('umount', () => {
  it('removes what was written, and says so; --keep says where it stays', async () => {
    const upper = '/var/lib/shp/uppers/1/upper';
    await here('mount', '--rw', 'c1d9bf8d8844', at('mnt'));
    expect(await here('umount', at('mnt'))).toEqual({
      code: 0,
      out: `unmounted ${at('mnt')}\n`,
      err: `note: what was written (${upper}) is removed\n`,
    });
    await here('mount', '--rw', 'c1d9bf8d8844', at('mnt'));
    const kept = await here('umount', '--keep', at('mnt'));
    expect(kept.err).toBe(`note: what was written is kept at ${upper}\n`);
  });

  it('of a mount in use is refused, unless --lazy', async () => {
    await here('mount', 'c1d9bf8d8844', at('busy'));
    const { code, err } = await here('umount', at('busy'));
    expect([code, err]).toEqual([6, expect.stringContaining('is in use')]);
    expect((await here('umount', '--lazy', at('busy'))).code).toBe(0);
  });

  it('of what is no mount is not found', async () => {
    const { code, err } = await here('--json', 'umount', at('mnt'));
    expect([code, JSON.parse(err).fault.code]).toEqual([3, 'not-mounted']);
  });
});

describe('pull --lazy', () => {
  it('returns when it could be mounted', async () => {
    expect(await here('pull', '--lazy', 'jbenet/go-ipfs')).toEqual({
      code: 0,
      out: `ready to mount /ipfs/${ROOT}/jbenet/go-ipfs\n`,
      err: 'asking 1 peer\nnote: 45.0 MB of 300 MB are here so far\n',
    });
    const document = JSON.parse((await here('--json', 'pull', '--lazy', 'c1d9bf8d8844')).out);
    expect(document).toMatchObject({ manifestRoot: MANIFEST.root, complete: false, bytes: 300_000_000 });
  });

  it.each([
    [['-o', 'x.tar'], /--lazy and --output exclude/],
    [['--store-only', '--cached'], /--lazy and --store-only, --cached exclude/],
    [['--platform', 'all'], /one platform at a time/],
  ])('with %j is wrong usage', async (args, message) => {
    const { code, out, err } = await here('pull', '--lazy', ...args, 'c1d9bf8d8844');
    expect([code, out, err]).toEqual([2, '', expect.stringMatching(message)]);
  });
});

describe('profile', () => {
  it('shows what is known', async () => {
    const { code, out } = await here('profile', 'jbenet/go-ipfs');
    expect(code).toBe(0);
    expect(out).toMatch(/^manifest +baf\w+\nprofile +bafk\w+\nsource +recorded here, 2 starts\n/);
    expect(out).toMatch(/content +12\.3 MB in 450 ranges\n$/);
    const document = JSON.parse((await here('--json', 'profile', 'c1d9bf8d8844')).out);
    expect(document).toMatchObject({ manifestRoot: MANIFEST.root, runs: 2 });
  });

  it('goes to a file and comes from one', async () => {
    const file = at('start.profile');
    expect((await here('profile', 'c1d9bf8d8844', '--export', file)).out).toBe(
      `exported the profile of c1d9bf8d8844 to ${file}\n`,
    );
    expect(readFileSync(file, 'utf8')).toBe('a start-up profile');
    expect((await here('profile', 'c1d9bf8d8844', '--import', file)).out).toBe(
      'imported the profile of c1d9bf8d8844: 12.3 MB in 450 ranges\n',
    );
    expect((await here('profile', 'c1d9bf8d8844')).out).toContain('imported from a file');
    writeFileSync(file, 'something else');
    const wrong = await here('profile', 'c1d9bf8d8844', '--import', file);
    expect([wrong.code, wrong.err]).toEqual([7, expect.stringContaining('no start-up profile')]);
  });

  it('can be forgotten', async () => {
    const { out } = await here('profile', '--forget', 'c1d9bf8d8844');
    expect(out).toBe('forgot the profile of c1d9bf8d8844\n');
    expect((await here('profile', 'c1d9bf8d8844')).code).toBe(3);
  });

  it.each<[string[], number, RegExp]>([
    [['--forget', '--export', 'x'], 2, /--export and --forget exclude each other/],
    [['--import', '/nonexistent/x'], 3, /no file/],
    [['--export', '/nonexistent/x'], 5, /cannot be written/],
  ])('%j is refused', async (args, code, message) => {
    const result = await here('profile', 'c1d9bf8d8844', ...args);
    expect([result.code, result.out]).toEqual([code, '']);
    expect(result.err).toMatch(message);
  });
});

describe('status and debug fuse', () => {
  it('say of each mount how far it is, who serves it and how its reads go', async () => {
    expect((await here('status')).out).not.toMatch(/^mount/m);
    await here('mount', 'c1d9bf8d8844', at('mnt'));
    const { out } = await here('status');
    expect(out).toContain(`mount     ${at('mnt')}: jbenet/go-ipfs:latest, read-only
          45.0 MB of 300 MB here (15 %), fetching; start-up profile: used
          passthrough, 340 opens by passthrough, 3 by read
          12 reads waited for a peer (p50 21 ms, p99 83 ms), 0 waiting now, 0 failed
          45.0 MB from ${PEER}
mounts by mount server 102, keeper 101, 0 restarts, 60.0 MB, FUSE 7.45, passthrough: yes, resend: yes
`);
    expect(JSON.parse((await here('--json', 'status')).out).mounts.mounts).toHaveLength(1);
  });

  it.each([
    ['waiting', { why: 'no peer has it' }, '(15 %), waiting: no peer has it'],
    ['quarantined', { why: 'layer 2 lies' }, '(15 %), quarantined, reads fail: layer 2 lies'],
    ['complete', { here: 300_000_000 }, 'all here (300 MB)'],
    ['complete', { here: 300_000_000, wireBytes: 0 }, 'all of it was here (300 MB), nothing to fetch'],
  ] as const)('an image that is %s %j: %s', async (state, lazy, words) => {
    await open({ mounts: { lazy: { state, ...lazy } } });
    await here('mount', 'c1d9bf8d8844', at('mnt'));
    expect((await here('status')).out).toContain(words);
  });

  it('an image without a name is shown by its id, else by its root', async () => {
    await open({ mounts: { lazy: { names: [], imageId: `sha256:${'c1d9bf8d8844'.padEnd(64, '0')}` } } });
    await here('mount', 'c1d9bf8d8844', at('mnt'));
    expect((await here('status')).out).toContain(`mount     ${at('mnt')}: c1d9bf8d8844, read-only`);
    await open({ mounts: { lazy: { names: [] } } });
    await here('mount', 'c1d9bf8d8844', at('mnt'));
    expect((await here('status')).out).toContain(`mount     ${at('mnt')}: ${MANIFEST.root}, read-only`);
  });

  it('debug fuse shows counters and the last requests', async () => {
    const { out } = await here('debug', 'fuse');
    expect(out).toMatch(/^mount server 102, keeper 101/);
    expect(out).toMatch(/\nLOOKUP +1200\nOPEN +343\n12 LOOKUP node 1/);
    expect(JSON.parse((await here('--json', 'debug', 'fuse')).out).chains).toHaveLength(1);
  });
});

describe('stop with mounts', () => {
  // The fixture's station is this process, which does not end: what is asked of it is enough.
  it('--all is refused while anything is mounted, and names it', async () => {
    await here('mount', 'c1d9bf8d8844', at('mnt'));
    const { code, out, err } = await here('stop', '--all');
    expect([code, out]).toEqual([6, '']);
    expect(err).toContain(at('mnt'));
  });

  it('--force alone is wrong usage', async () => {
    expect((await here('stop', '--force')).code).toBe(2);
  });
});
