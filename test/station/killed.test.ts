import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createControlClient } from '../../src/cli/control-client.ts';
import type { GcResult, PullResult, PushResult } from '../../src/observe/control/views.ts';
import { type GeneratedImage, generatedBytes, writeGeneratedArchive } from './support/generated-image.ts';
import { emptied, NOTHING, verifiedImages } from './support/image-check.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const ROUNDS = 8;

const group = stationGroup('killed');
let seeder: TestStation;
let victim: TestStation;
let seederAddr: string;
/** Whole in the victim before anything is killed, and sharing a layer with what is. */
let kept: string;

const shared = { seed: 'shared', files: 40, bytes: 60_000 };
const small: GeneratedImage = { layers: [shared], names: ['small:1'] };
const pushed: GeneratedImage = {
  layers: [shared, { seed: 'pushed', files: 60, bytes: 700_000, halfText: true }],
};
const pulled: GeneratedImage = {
  layers: [shared, { seed: 'pulled', files: 60, bytes: 900_000 }],
};
const many: GeneratedImage = { layers: [{ seed: 'many', files: 1500, bytes: 700 }], names: ['many:1'] };
const archive = (name: string) => join(group.folder, `${name}.tar`);

beforeAll(async () => {
  await Promise.all([
    writeGeneratedArchive(archive('small'), small),
    writeGeneratedArchive(archive('pushed'), pushed),
    writeGeneratedArchive(archive('pulled'), pulled),
    writeGeneratedArchive(archive('many'), many),
  ]);
  [seeder, victim] = await Promise.all([
    // Slow enough that a pull has moments.
    group.start('seeder', { net: NET, set: ['serve.uploadLimit=32 MiB'] }),
    group.start('victim', { net: NET }),
  ]);
  seederAddr = await seeder.addr();
  kept = (await victim.json<PushResult>(['push', archive('small')])).imageRoot;
}, 60_000);
afterAll(() => group.end());

/** Starts again after a kill; every image that is listed must be whole. */
async function recover(moment: unknown): Promise<string[]> {
  await victim.start(`network.bootstrap=${seederAddr}`);
  try {
    const roots = (await verifiedImages(victim)).map(({ root }) => root);
    if (!roots.includes(kept)) throw new Error('an image that was whole is gone');
    return roots;
  } catch (error) {
    throw new Error(`killed at ${moment}: ${(error as Error).message}`, { cause: error });
  }
}

/** So many random fractions, the smallest first. */
const moments = (count: number) => Array.from({ length: count }, Math.random).sort((a, b) => a - b);

/** An archive that calls `at` when `offset` bytes of it were taken, and goes on then. */
async function* cutAt(bytes: Buffer, offset: number, at: () => Promise<void>): AsyncGenerator<Buffer> {
  // As much as a pipe holds: when the next one is asked for, the one before was taken.
  const PIECE = 64 * 1024;
  for (let from = 0; from < bytes.length; from += PIECE) {
    if (from <= offset && offset < from + PIECE) await at();
    yield bytes.subarray(from, from + PIECE);
  }
  if (offset >= bytes.length) await at();
}

it('a push that is killed leaves whole images only, and the next one goes on', async () => {
  const bytes = readFileSync(archive('pushed'));
  // The last ones at the very end, where the image is put together and pinned.
  for (const fraction of [...moments(ROUNDS - 2), 1, 1]) {
    const kill = async () => {
      if (fraction === 1) await sleep(Math.random() * 300);
      await victim.signal('SIGKILL');
    };
    // Past what buffers hold before the station sees a byte.
    const offset = Math.floor(2 ** 21 + fraction * (bytes.length - 2 ** 21));
    const input = Readable.from(cutAt(bytes, offset, kill), { objectMode: false });
    const { code, out, err } = await victim.run(['push', '-'], { input });
    if (fraction < 1) {
      expect({ code, out, err }).toEqual({
        code: 4,
        out: '',
        err: expect.stringMatching(
          /error: the station went away in the middle: .*it goes on where it stopped/,
        ),
      });
    }
    await recover(fraction);
  }
  const { imageRoot, totals } = await victim.json<PushResult>(['push', archive('pushed')]);
  expect(totals.here).toBeGreaterThan(totals.bytes / 10);
  expect(await recoverable()).toEqual(expect.arrayContaining([kept, imageRoot]));
}, 240_000);

async function recoverable(): Promise<string[]> {
  return (await verifiedImages(victim)).map(({ root }) => root);
}

it('a pull that is killed leaves whole images only, and the next one goes on where it was', async () => {
  const { imageRoot, address } = await seeder.json<PushResult>(['push', archive('pulled')]);
  const total = generatedBytes(pulled);
  for (const fraction of moments(ROUNDS)) {
    const pull = victim.begin(['--json', 'pull', '--store-only', address]);
    await pull.reached(fraction * total);
    await victim.signal('SIGKILL');
    const { code } = await pull.done;
    const roots = await recover(fraction);
    if (code === 0) expect(roots).toContain(imageRoot);
  }
  const { totals } = await victim.json<PullResult>(['pull', '--store-only', address]);
  expect(totals.moved).toBeLessThan(total / 2);
  expect(totals.here).toBeGreaterThan(total / 2);
  expect(await recoverable()).toContain(imageRoot);
}, 240_000);

it('a sweep that is killed takes nothing that an image needs, and the next one takes the rest', async () => {
  let longest = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    await victim.ok(['push', archive('many')]);
    await victim.ok(['rm', 'many:1']);
    const began = performance.now();
    const client = createControlClient(join(victim.root, 'control.sock'), '');
    const swept = client.call('gc', { interrupted: true }).catch(() => undefined);
    if (round === 0) {
      // Says how long one takes, so that the others can be killed inside.
      expect(((await swept) as GcResult).objects).toBeGreaterThanOrEqual(1500);
      longest = performance.now() - began;
      continue;
    }
    const moment = Math.random() * longest;
    await sleep(moment);
    await victim.signal('SIGKILL');
    await swept;
    await recover(`${Math.round(moment)} of ${Math.round(longest)} ms`);
  }
  await victim.ok(['push', archive('many')]);
  expect(await recoverable()).toHaveLength(4);
}, 240_000);

it('after all of it nothing is left behind', async () => {
  expect(await emptied(victim)).toEqual(NOTHING);
}, 60_000);
