import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from '../../scripts/image/command.ts';
import type { PushResult, StationStatus } from '../../src/observe/control/views.ts';
import { buildImage, dockerArchive } from '../support/image-archive.ts';
import { directory, file, symlink } from '../support/layer-tar.ts';
import { requirement } from '../support/requirement.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const able = requirement(
  'test/station/mount-screens.test.ts',
  process.getuid?.() === 0 && existsSync('/dev/fuse'),
  'needs root and /dev/fuse',
);

const BIG = Buffer.alloc(3_000_000, 'a line of a large file\n');
const image = buildImage({
  layers: [
    [directory('etc'), file('etc/hello', 'hello\n'), symlink('etc/link', 'hello'), file('etc/gone', 'x')],
    [directory('srv'), file('srv/big', BIG), file('etc/.wh.gone', ''), file('etc/other', 'other\n')],
  ],
  names: ['shp-test/mounted:1'],
});
const ID = image.imageId.slice(7, 19);

/** What is mounted below a folder, the last one first. */
function mountsBelow(folder: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  return lines
    .map((line) => line.split(' ')[4] as string)
    .filter((mountpoint) => mountpoint.startsWith(`${folder}/`))
    .reverse();
}

/** A mount's files are looked at by other processes: a read in this one would hold up the test's own event loop. */
const cat = (path: string) => run('cat', [path]);

function withMounts(): void {
  const group = stationGroup('mounts');
  const folder = realpathSync(group.folder);
  let earth: TestStation;
  let mars: TestStation;
  let pushed: PushResult;
  const mnt = join(folder, 'mnt');

  beforeAll(async () => {
    mkdirSync(mnt);
    writeFileSync(join(folder, 'image.tar'), dockerArchive([image]));
    earth = await group.start('earth', { net: NET });
    mars = await group.start('mars', { net: NET });
    pushed = await earth.json<PushResult>(['push', join(folder, 'image.tar')]);
    await mars.connect(earth);
  }, 60_000);
  afterAll(async () => {
    for (const station of [mars, earth]) await station?.run(['stop', '--all', '--force']);
    for (const mountpoint of mountsBelow(folder)) await run('umount', ['--lazy', mountpoint]);
    await group.end();
  }, 60_000);

  it('mounts at once what another station has, and reads come from there', async () => {
    expect(await mars.ok(['ls'])).not.toContain(ID);
    const mounted = await mars.run(['mount', pushed.address, mnt]);
    expect([mounted.code, mounted.out, mounted.err]).toEqual([
      0,
      `mounted ${pushed.address} at ${mnt}\n`,
      expect.not.stringContaining('error'),
    ]);
    expect(await cat(join(mnt, 'etc/hello'))).toBe('hello\n');
    expect(await run('tail', ['-c', '23', join(mnt, 'srv/big')])).toBe(BIG.subarray(-23).toString());
    expect((await run('cmp', ['-', join(mnt, 'srv/big')], { input: BIG })).length).toBe(0);
    expect((await run('ls', [join(mnt, 'etc')])).trim().split('\n')).toEqual(['hello', 'link', 'other']);
    expect(readlinkSync(join(mnt, 'etc/link'))).toBe('hello');
    await expect(run('touch', [join(mnt, 'new')])).rejects.toThrow(/Read-only/);
  }, 60_000);

  it('status says how far it is and who serves it', async () => {
    const { mounts } = await mars.json<StationStatus>(['status']);
    expect(mounts.mounts).toMatchObject([
      { target: mnt, writable: false, suid: false, dev: false, image: { imageRoot: pushed.imageRoot } },
    ]);
    const [mount] = mounts.mounts;
    expect(mount?.image.here).toBeGreaterThan(0);
    // Content, and what it takes to verify it.
    expect(mount?.image.bytes).toBeGreaterThan(BIG.length);
    expect(mounts.server).toMatchObject({
      keeper: expect.any(Number),
      mountServer: expect.any(Number),
      restarts: 0,
    });
    expect(await mars.ok(['status'])).toMatch(new RegExp(`^mount +\\S+: ${ID}, read-only$`, 'm'));
    expect(await mars.ok(['mount'])).toContain(mnt);
    expect(await mars.ok(['debug', 'fuse'])).toContain('mount server');
  }, 60_000);

  it('refuses to mount there again, and to remove the image', async () => {
    expect(await mars.fault(['mount', pushed.address, mnt])).toMatchObject({
      exit: 8,
      code: 'already-mounted',
    });
    expect(await mars.fault(['rm', ID])).toMatchObject({ exit: 6, code: 'image-mounted' });
    expect(await mars.fault(['stop', '--all'])).toMatchObject({ exit: 6, code: 'mounts-in-use' });
    expect(await mars.ok(['ls'])).toContain('NAME');
  }, 60_000);

  it('goes on while its station is stopped, and is known to the next one', async () => {
    const { err } = await mars.run(['stop']);
    expect(err).toContain(`note: still mounted: ${mnt};`);
    expect(await cat(join(mnt, 'etc/hello'))).toBe('hello\n');
    await mars.start();
    const { mounts } = await mars.json<StationStatus>(['status']);
    expect(mounts.mounts).toMatchObject([{ target: mnt, image: { imageRoot: pushed.imageRoot } }]);
  }, 60_000);

  it('umount ends it, and the directory is what it was', async () => {
    expect(await mars.run(['umount', mnt])).toEqual({ code: 0, out: `unmounted ${mnt}\n`, err: '' });
    expect(readdirSync(mnt)).toEqual([]);
    expect(await mars.fault(['umount', mnt])).toMatchObject({ exit: 3, code: 'not-mounted' });
  }, 60_000);

  it('--rw keeps what is written until the umount, and with --keep beyond it', async () => {
    const mounted = await mars.run(['mount', '--rw', pushed.address, mnt]);
    const upper = /written goes to (\S+);/.exec(mounted.err)?.[1] as string;
    await run('sh', ['-c', `echo mine > ${mnt}/etc/hello && rm ${mnt}/etc/other`]);
    expect(await cat(join(mnt, 'etc/hello'))).toBe('mine\n');
    const kept = await mars.run(['umount', '--keep', mnt]);
    expect(kept.err).toContain(`note: what was written is kept at ${upper}\n`);
    expect(readFileSync(join(upper, 'etc/hello'), 'utf8')).toBe('mine\n');
    expect(statSync(join(upper, 'etc/other')).isCharacterDevice()).toBe(true);
    await mars.ok(['mount', '--rw', pushed.address, mnt]);
    expect(await cat(join(mnt, 'etc/hello'))).toBe('hello\n');
    expect((await mars.run(['umount', mnt])).err).toMatch(/what was written \(\S+\) is removed/);
  }, 60_000);

  it('stop --all --force unmounts, and leaves neither mounts nor processes', async () => {
    await mars.ok(['mount', pushed.address, mnt]);
    const { mounts } = await mars.json<StationStatus>(['status']);
    const stopped = await mars.run(['stop', '--all', '--force']);
    expect([stopped.code, stopped.err]).toEqual([0, expect.stringContaining(`note: unmounted ${mnt}\n`)]);
    expect(mountsBelow(folder)).toEqual([]);
    for (const pid of [mounts.server?.keeper, mounts.server?.mountServer]) {
      expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
    }
  }, 60_000);
}

if (able) describe('the screens of a mount, on two stations', withMounts);
else it('needs what is not here, and the run says so', () => expect(able).toBe(false));
