import { join } from 'node:path';
import type { ArchiveFile } from '../image/archive-file.ts';
import { makeDebianImage } from '../image/debian-image.ts';
import type { Figure } from './figure.ts';
import type { SamplingSettings } from './sampling.ts';

/** What every figure is given. */
export interface BenchContext {
  /** A folder for stations and engines; empty at the start, removed at the end. */
  readonly folder: string;
  /** Images are kept here from run to run. */
  readonly work: string;
  readonly sampling: SamplingSettings;
  readonly say: (line: string) => void;
}

/** Measures what belongs together, and answers one figure or more. */
export interface Benchmark {
  readonly name: string;
  readonly run: (context: BenchContext) => Promise<readonly Figure[]>;
}

const image = (
  context: BenchContext,
  file: string,
  packages: readonly string[],
  filler = 0,
): Promise<ArchiveFile> => {
  context.say(`making ${file}`);
  return makeDebianImage(context.work, {
    out: join(context.work, file),
    name: `bench/${file.replace('.tar', '')}:1`,
    packages,
    filler: filler * 2 ** 20,
    seed: '1',
    command: ['python3'],
  });
};

const PYTHON = ['python3', 'git', 'python3-numpy'];

/** Debian with python3: about 300 MB and 12,000 entries in two layers. */
export const pythonImage = (context: BenchContext) => image(context, 'python.tar', PYTHON);
/** The same with one package more in its second layer. */
export const relatedImage = (context: BenchContext) => image(context, 'related.tar', [...PYTHON, 'gdb']);

/** Compilers with their headers and libraries: 27,000 entries and 1.3 GB with what they need. */
export const PACKAGES = ['python3', 'llvm-14-dev', 'golang-1.19-go'];
/** A large image with many files. */
export const packagesImage = (context: BenchContext) => image(context, 'packages.tar', PACKAGES);

/** About 2 GB: the first one, and made-up files of which half are incompressible. */
export const bigImage = (context: BenchContext) => image(context, 'big.tar', PYTHON, 1700);

/** Bytes of the image's layers, uncompressed. */
export function archiveBytes(archive: ArchiveFile): number {
  return archive.layers.reduce((sum, layer) => sum + layer.size, 0);
}
