import { createCipheriv, createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { END_OF_TAR, padded, rawHeader } from '../../support/raw-tar.ts';

/** A layer of files whose content follows from `seed` and their number. */
export interface GeneratedLayer {
  readonly seed: string;
  readonly files: number;
  /** Of each file. */
  readonly bytes: number;
  /** Every second file is hex digits, which compress two to one. */
  readonly halfText?: boolean;
}

export interface GeneratedImage {
  readonly layers: readonly GeneratedLayer[];
  readonly names?: readonly string[];
}

const BLOCK = 512;
const blocks = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;

/** Content bytes of all files. */
export function generatedBytes({ layers }: GeneratedImage): number {
  return layers.reduce((sum, { files, bytes }) => sum + files * bytes, 0);
}

/** A docker-archive made as it is read, never whole in memory; config and manifest come last. */
export function generatedArchive(image: GeneratedImage): Readable {
  return Readable.from(
    archivePieces(image, () => {}),
    { objectMode: false },
  );
}

/** Writes the archive. @returns the image ID */
export async function writeGeneratedArchive(path: string, image: GeneratedImage): Promise<string> {
  let id = '';
  const pieces = archivePieces(image, (found) => {
    id = found;
  });
  await pipeline(Readable.from(pieces, { objectMode: false }), createWriteStream(path));
  return id;
}

function* archivePieces(image: GeneratedImage, onId: (id: string) => void): Generator<Buffer> {
  const diffIds: string[] = [];
  for (const [number, layer] of image.layers.entries()) {
    const size = layer.files * (BLOCK + blocks(layer.bytes)) + END_OF_TAR.length;
    yield rawHeader({ name: `layer-${number}/layer.tar`, size });
    const hash = createHash('sha256');
    for (const piece of layerPieces(layer)) {
      hash.update(piece);
      yield piece;
    }
    diffIds.push(`sha256:${hash.digest('hex')}`);
  }
  const config = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
  });
  const id = createHash('sha256').update(config).digest('hex');
  const manifest = JSON.stringify([
    {
      Config: `${id}.json`,
      RepoTags: image.names ?? null,
      Layers: image.layers.map((_, number) => `layer-${number}/layer.tar`),
    },
  ]);
  yield rawHeader({ name: `${id}.json`, size: config.length });
  yield padded(config);
  yield rawHeader({ name: 'manifest.json', size: manifest.length });
  yield padded(manifest);
  yield END_OF_TAR;
  onId(id);
}

function* layerPieces({ seed, files, bytes, halfText }: GeneratedLayer): Generator<Buffer> {
  for (let number = 0; number < files; number++) {
    yield rawHeader({ name: `${seed}-${number}`, size: bytes, mtime: 1_577_836_800 });
    yield padded(content(`${seed}/${number}`, bytes, halfText === true && number % 2 === 1));
  }
  yield END_OF_TAR;
}

function content(seed: string, bytes: number, text: boolean): Buffer {
  const key = createHash('md5').update(seed).digest();
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const random = stream.update(Buffer.alloc(text ? Math.ceil(bytes / 2) : bytes));
  return text ? Buffer.from(random.toString('hex').slice(0, bytes)) : random;
}
