import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../src/base/digest.ts';
import { rawCid } from '../../src/image/dag/file-dag.ts';
import type { Store } from '../../src/store/store.ts';
import { storeLayout } from '../../src/store/store-layout.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { seededImage, seedOf } from './seeded-image.ts';
import { brokenParts, bytesOf, cidOf, leavesOf, openTestStore } from './store-fixture.ts';

const ROUNDS = 30;
const WRITER = fileURLToPath(new URL('./killed-writer.ts', import.meta.url));

/** Runs the writer, kills it `afterMs` after it began, answers what it said. */
async function runAndKill(root: string, seed: number, afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, root, `${seed}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes.toString();
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('close', (_code, signal) => resolve(signal)),
  );
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line === 'ready') setTimeout(() => child.kill('SIGKILL'), afterMs);
  }
  const signal = await ended;
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${errors}`);
  return lines;
}

/** Leaves that a partial object claims and has not. */
async function wrongLeaves(store: Store, seed: number): Promise<number[]> {
  const bytes = bytesOf(seed, 1_500_000);
  const lease = store.lease('pull');
  const info = { cid: cidOf(bytes), size: bytes.length, leaves: leavesOf(bytes) as Uint8Array };
  const partial = await store.objects.partial(lease, info);
  const wrong: number[] = [];
  for (let leaf = 0; leaf < partial.leafCount; leaf++) {
    if (!partial.hasLeaf(leaf)) continue;
    const content = bytes.subarray(leaf * 262_144, (leaf + 1) * 262_144);
    const here = await store.blocks.get(rawCid(sha256(content)));
    if (here === undefined || Buffer.compare(here, content) !== 0) wrong.push(leaf);
  }
  lease.end();
  return wrong;
}

it('survives a kill at any moment: no pinned image misses a block, nothing is left over', async () => {
  using folder = tempFolder('crash');
  const pinned = new Set<number>();
  let next = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const lines = await runAndKill(folder.path, next, 5 + ((round * 37) % 150));
    const first = next;
    for (const line of lines) {
      const [verb, seed] = line.split(' ');
      if (verb === 'pinned') {
        pinned.add(Number(seed));
        next = Number(seed) + 1;
      } else if (verb === 'removing') {
        pinned.delete(Number(seed));
      }
    }
    next++;
    const store = await openTestStore(folder.path);
    const here = new Set([...store.images.all()].map(({ names }) => seedOf(names)));
    for (const seed of pinned) expect(here).toContain(seed);
    for (let seed = first; seed < next; seed++) expect(await wrongLeaves(store, seed)).toEqual([]);
    for (const seed of here)
      expect({ seed, broken: brokenParts(store, seededImage(seed)) }).toEqual({ seed, broken: [] });
    await store.gc({ interrupted: round % 2 === 0 });
    for (const seed of here)
      expect({ seed, broken: brokenParts(store, seededImage(seed)) }).toEqual({ seed, broken: [] });
    // Keeps the rounds short.
    for (const { root } of [...store.images.all()].slice(0, -2)) await store.images.remove(root);
    pinned.clear();
    for (const { names } of store.images.all()) pinned.add(seedOf(names));
    if (round === ROUNDS - 1) {
      await store.gc({ interrupted: true });
      const { cas, partials } = storeLayout(folder.path);
      const files = readdirSync(cas).flatMap((name) => readdirSync(`${cas}/${name}`));
      const wanted = new Set(
        [...pinned].flatMap((seed) => seededImage(seed).files.map((bytes) => `${cidOf(bytes)}`)),
      );
      expect(new Set(files)).toEqual(wanted);
      expect(readdirSync(partials)).toEqual([]);
      expect(store.usage().objects).toBe(wanted.size);
    }
    await store.close();
  }
}, 600_000);
