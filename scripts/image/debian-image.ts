import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findAptSource } from './apt-source.ts';
import { type ArchiveFile, writeArchiveFile } from './archive-file.ts';
import { makeBaseTree, makePackagesTree } from './debian-tree.ts';
import { writeFiller } from './filler.ts';
import { type LayerContent, type LayerFile, writeLayerFile } from './layer-file.ts';
import { compareTrees, listTree } from './tree-listing.ts';

export interface DebianImage {
  /** The docker-archive to write. */
  readonly out: string;
  /** Reference with a tag. */
  readonly name: string;
  /** Debian packages of the second layer. */
  readonly packages: readonly string[];
  /** Bytes of made-up files in a third layer; 0: none. */
  readonly filler: number;
  /** Makes another third layer of the same size. */
  readonly seed: string;
  readonly command: readonly string[];
}

/** 2026-01-01: the latest time in an image, where SOURCE_DATE_EPOCH gives no other. */
const EPOCH = 1_767_225_600;

async function onceLayer(
  work: string,
  key: string,
  content: () => LayerContent,
  epoch: number,
): Promise<LayerFile> {
  const target = join(work, 'layers', `${createHash('sha256').update(key).digest('hex').slice(0, 16)}.tar`);
  const record = `${target}.json`;
  if (existsSync(record)) return JSON.parse(readFileSync(record, 'utf8'));
  mkdirSync(join(work, 'layers'), { recursive: true });
  const layer = await writeLayerFile(target, content(), epoch);
  writeFileSync(record, JSON.stringify(layer));
  return layer;
}

/**
 * Makes an image out of this machine's own Debian: a minimal system, a layer of packages on it, perhaps one of
 * made-up files. Trees and layers are kept in `work`, so a second image on the same base costs only what is new.
 */
export async function makeDebianImage(work: string, image: DebianImage): Promise<ArchiveFile> {
  const epoch = Number(process.env['SOURCE_DATE_EPOCH'] ?? EPOCH);
  const source = findAptSource();
  const base = await makeBaseTree(work, source);
  const key = `${source.suite} ${epoch}`;
  const layers = [
    await onceLayer(
      work,
      key,
      () => ({ root: base, paths: [...listTree(base).keys()], whiteouts: [] }),
      epoch,
    ),
  ];
  if (image.packages.length > 0) {
    const tree = await makePackagesTree(work, base, image.packages);
    const content = () => {
      const { changed, removed } = compareTrees(tree, base);
      return { root: tree, paths: changed, whiteouts: removed };
    };
    layers.push(await onceLayer(work, `${key} ${image.packages.join(' ')}`, content, epoch));
  }
  if (image.filler > 0) {
    const folder = join(work, 'filler');
    try {
      const content = () => {
        writeFiller(join(folder, 'srv/data'), image.filler, image.seed);
        return { root: folder, paths: [...listTree(folder).keys()], whiteouts: [] };
      };
      layers.push(await onceLayer(work, `${epoch} filler ${image.filler} ${image.seed}`, content, epoch));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const config = {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: image.command,
  };
  return writeArchiveFile(image.out, { name: image.name, layers, config, epoch });
}
