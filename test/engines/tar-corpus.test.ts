import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergeLayers } from '../../src/image/layer/merged-tree.ts';
import {
  type Containerd,
  type Engine,
  startContainerd,
  startEngine,
  systemDockerd,
} from '../support/engine.ts';
import { type BuiltImage, buildImage, dockerArchive, sha256Digest } from '../support/image-archive.ts';
import { file, layerTar } from '../support/layer-tar.ts';
import { requirement } from '../support/requirement.ts';
import { tempFolder } from '../support/temp-folder.ts';
import type { CorpusCase } from './corpus-case.ts';
import { HANDMADE_CORPUS } from './handmade-corpus.ts';
import { readLayer } from './layer-reading.ts';
import { gnuTarCorpus, programCorpus } from './program-corpus.ts';
import { asFarAsSaid, describeFolder, describeIndex, describeMerged } from './tree-description.ts';

const NAME = 'the tar corpus against engines';
const canRun =
  requirement(NAME, process.getuid?.() === 0, 'needs root') &&
  requirement(NAME, systemDockerd() !== undefined, 'dockerd is not installed');

interface ImageInspect {
  readonly Id: string;
  readonly GraphDriver: { readonly Data: { readonly UpperDir: string; readonly LowerDir?: string } };
}

/** The folders that overlay2 unpacked the layers into, bottom first. */
async function unpackByDockerd(engine: Engine, image: BuiltImage): Promise<string[]> {
  await engine.load(dockerArchive([image]));
  const inspect = await engine.json<ImageInspect>('GET', `/images/${image.imageId}/json`);
  expect(inspect.Id).toBe(image.imageId);
  const { UpperDir, LowerDir } = inspect.GraphDriver.Data;
  return [UpperDir, ...(LowerDir?.split(':') ?? [])].reverse();
}

/** The same by containerd's overlayfs snapshotter. */
function unpackByContainerd(containerd: Containerd, folder: string, image: BuiltImage): string[] {
  const archive = join(folder, 'image.tar');
  writeFileSync(archive, dockerArchive([image]));
  containerd.ctr('images', 'import', '--snapshotter', 'overlayfs', archive);
  const chainId = image.diffIds.reduce((chain, diffId) => sha256Digest(Buffer.from(`${chain} ${diffId}`)));
  const key = `look-${image.imageId}`;
  const mount = containerd.ctr('snapshots', 'prepare', '--target', '/mnt', key, chainId);
  const lowers = /lowerdir=([^,\s]+)/.exec(mount)?.[1] ?? '';
  return lowers.split(':').reverse();
}

/** Lays the folders on each other as an engine does for a container. */
function describeOverlay(folder: string, layers: readonly string[]) {
  const scratch = mkdtempSync(join(folder, 'overlay-'));
  // A read-only overlay wants two lowers at least.
  const [target, empty] = [join(scratch, 'merged'), join(scratch, 'empty')];
  for (const path of [target, empty]) mkdirSync(path);
  const lowers = [...layers].reverse();
  execFileSync('mount', [
    '-t',
    'overlay',
    'overlay',
    '-o',
    `ro,lowerdir=${[...lowers, empty].join(':')}`,
    target,
  ]);
  try {
    return describeFolder(target);
  } finally {
    execFileSync('umount', [target]);
    rmSync(scratch, { recursive: true });
  }
}

function expectOneTree(folder: string, layers: readonly Uint8Array[], unpacked: readonly string[]): void {
  const readings = layers.map(readLayer);
  readings.forEach(({ index, content }, at) => {
    const said = describeIndex(index, content);
    expect(asFarAsSaid(describeFolder(unpacked[at]!), said)).toEqual(said);
  });
  const content = (digest: Uint8Array) => readings.map((reading) => reading.content(digest)).find(Boolean);
  const merged = describeMerged(mergeLayers(readings.map(({ index }) => index)), content);
  expect(asFarAsSaid(describeOverlay(folder, unpacked), merged)).toEqual(merged);
}

const buildCase = (corpusCase: CorpusCase) =>
  buildImage({ names: ['corpus/case:1'], layers: corpusCase.layers.map((tar) => ({ tar })) });
const named = (corpus: readonly CorpusCase[]) =>
  corpus.map((corpusCase) => [corpusCase.name, corpusCase] as const);

if (canRun) {
  const folder = tempFolder('corpus');
  const corpus = [...HANDMADE_CORPUS, ...programCorpus(folder.path)];
  afterAll(() => folder[Symbol.dispose]());

  describe('a tar, unpacked by dockerd and read by shp', () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await startEngine({ storage: 'overlay2' });
    });
    afterAll(() => engine?.stop());

    const accepted = corpus.filter(({ containerdOnly }) => containerdOnly !== true);
    it.each(named(accepted))('is one tree: %s', async (_, corpusCase) => {
      const unpacked = await unpackByDockerd(engine, buildCase(corpusCase));
      expectOneTree(folder.path, corpusCase.layers, unpacked);
    });
  });

  describe('a tar, unpacked by containerd and read by shp', () => {
    let containerd: Containerd;
    beforeAll(async () => {
      containerd = await startContainerd();
    });
    afterAll(() => containerd?.stop());

    it.each(named(corpus))('is one tree: %s', (_, corpusCase) => {
      const unpacked = unpackByContainerd(containerd, folder.path, buildCase(corpusCase));
      expectOneTree(folder.path, corpusCase.layers, unpacked);
    });
  });

  describe('a tar that no engine unpacks', () => {
    it.each(named(gnuTarCorpus(folder.path)))(
      'is the tree that GNU tar extracts: %s',
      (_, { layers: [tar] }) => {
        const target = mkdtempSync(join(folder.path, 'extracted-'));
        execFileSync('tar', ['--extract', '--same-permissions', '--numeric-owner', '-f', '-', '-C', target], {
          input: tar,
        });
        const { index, content } = readLayer(tar!);
        const said = describeIndex(index, content);
        expect(asFarAsSaid(describeFolder(target), said)).toEqual(said);
      },
    );
  });
}

it('is refused where a path leaves the root', () => {
  expect(() => readLayer(layerTar([file('../../escape', 'x')]))).toThrow(/leads out of the root/);
});
