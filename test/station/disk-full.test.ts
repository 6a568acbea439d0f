import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageSummary, PullResult, PushResult, StationStatus } from '../../src/observe/control/views.ts';
import { requirement } from '../support/requirement.ts';
import { type GeneratedImage, writeGeneratedArchive } from './support/generated-image.ts';
import { emptied, NOTHING, verifiedImages } from './support/image-check.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const MOUNTABLE = process.getuid?.() === 0;
const MiB = 2 ** 20;

if (requirement('a disk that is full', MOUNTABLE, 'needs root to mount a tmpfs')) {
  const group = stationGroup('disk-full');
  const disk = join(group.folder, 'disk');
  const archive = (name: string) => join(group.folder, `${name}.tar`);
  const of = (seed: string, mebibytes: number): GeneratedImage => ({
    layers: [{ seed, files: mebibytes, bytes: MiB }],
    names: [`${seed}:1`],
  });
  let seeder: TestStation;
  let small: TestStation;
  let mounted = false;
  let second: string;

  beforeAll(async () => {
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]);
    mounted = true;
    await Promise.all([
      writeGeneratedArchive(archive('first'), of('first', 24)),
      writeGeneratedArchive(archive('second'), of('second', 26)),
      writeGeneratedArchive(archive('large'), of('large', 70)),
    ]);
    [seeder, small] = await Promise.all([
      group.start('seeder', { net: NET, set: ['serve.uploadLimit=64 MiB'] }),
      group.start('small', { net: NET, root: join(disk, 'root'), set: ['store.reserve=2 MiB'] }),
    ]);
    await small.connect(seeder);
    await small.ok(['push', archive('first')]);
  }, 60_000);
  afterAll(async () => {
    await group.kill();
    if (mounted) execFileSync('umount', ['-l', disk]);
    await group.end();
  });

  /** Alive, answering, idle, and with the first image only, which is whole. */
  async function expectSound(): Promise<void> {
    const { images, operations } = await small.json<StationStatus>(['status']);
    expect({ images, operations }).toEqual({ images: 1, operations: [] });
    expect((await verifiedImages(small)).map(({ names }: ImageSummary) => names)).toEqual([
      expect.arrayContaining(['first:1']),
    ]);
  }

  it('fails a push with a clear error, and nothing else', async () => {
    const fault = await small.fault(['push', archive('large')]);
    expect(fault).toMatchObject({ exit: 4, kind: 'unavailable', code: 'disk-full' });
    expect(fault.message).toContain(small.root);
    await expectSound();
    await small.ok(['gc', '--interrupted']);
    await expectSound();
  }, 60_000);

  it('fails a pull before it begins when the room can be told', async () => {
    const { address } = await seeder.json<PushResult>(['push', archive('large')]);
    const fault = await small.fault(['pull', '--store-only', address]);
    expect(fault).toMatchObject({ exit: 4, kind: 'unavailable', code: 'disk-full' });
    expect(fault.message).toContain(small.root);
    await expectSound();
    await small.ok(['gc', '--interrupted']);
  }, 60_000);

  it('fails a pull in the middle when something else fills the disk', async () => {
    const { address } = await seeder.json<PushResult>(['push', archive('second')]);
    const pull = small.begin(['--json', 'pull', '--store-only', address]);
    await pull.reached(2 * MiB);
    const other = join(disk, 'other');
    // All there is: dd ends when the disk is full.
    try {
      execFileSync('dd', ['if=/dev/zero', `of=${other}`, 'bs=1M'], { stdio: 'ignore' });
    } catch {
      // No space left, as wanted.
    }
    const { code, err } = await pull.done;
    const { fault } = JSON.parse(err.trimEnd().split('\n').at(-1) as string);
    expect([code, fault.kind, fault.code]).toEqual([4, 'unavailable', 'disk-full']);
    expect(fault.message).toContain(small.root);
    await expectSound();
    execFileSync('rm', [other]);
    const pulled = await small.json<PullResult>(['pull', '--store-only', address]);
    expect(pulled.address).toBe(address);
    second = pulled.imageRoot;
    expect(await verifiedImages(small)).toHaveLength(2);
  }, 60_000);

  it('leaves no half archive where a pull writes one to a disk that is full', async () => {
    const mount = join(group.folder, 'tiny');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mount]);
    try {
      const path = join(mount, 'image.tar');
      for (const output of [path, `oci:${path}`]) {
        const fault = await small.fault(['pull', second, '-o', output]);
        expect(fault).toMatchObject({ exit: 4, kind: 'unavailable', code: 'disk-full' });
        expect(fault.message).toContain(path);
        expect(readdirSync(mount)).toEqual([]);
      }
    } finally {
      execFileSync('umount', ['-l', mount]);
    }
  }, 60_000);

  it('takes another image after one was removed, and gives all back in the end', async () => {
    await small.ok(['rm', second]);
    await small.ok(['gc', '--interrupted']);
    await expectSound();
    await small.ok(['push', archive('second')]);
    expect(await verifiedImages(small)).toHaveLength(2);
    expect(await emptied(small)).toEqual(NOTHING);
  }, 60_000);
}
