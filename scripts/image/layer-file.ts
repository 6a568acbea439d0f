import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from './command.ts';

/** The uncompressed tar of a layer on disk. */
export interface LayerFile {
  readonly path: string;
  readonly diffId: string;
  readonly size: number;
  readonly entries: number;
}

export interface LayerContent {
  readonly root: string;
  /** From `root`, parents first. */
  readonly paths: readonly string[];
  readonly whiteouts: readonly string[];
}

async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/**
 * Writes a layer so that the same tree gives the same bytes: names in the order given, owners as numbers, no time
 * later than `epoch` (seconds; reproducible-builds.org, SOURCE_DATE_EPOCH).
 */
export async function writeLayerFile(
  target: string,
  content: LayerContent,
  epoch: number,
): Promise<LayerFile> {
  const common = [
    '--format=pax',
    // The default holds the process id.
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    '--numeric-owner',
    `--mtime=@${epoch}`,
    '--clamp-mtime',
    '--no-recursion',
    '--null',
    '--verbatim-files-from',
    '--files-from=-',
  ];
  const list = (paths: readonly string[]) => paths.map((path) => `${path}\0`).join('');
  const xattrs = ['--xattrs', '--xattrs-include=security.capability', '--xattrs-include=user.*'];
  await run('tar', [`--create`, `--file=${target}`, ...xattrs, `--directory=${content.root}`, ...common], {
    input: list(content.paths),
  });
  if (content.whiteouts.length > 0) {
    const marks = mkdtempSync(`${target}-whiteouts-`);
    const names = content.whiteouts.map((path) => path.replace(/([^/]+)$/, '.wh.$1'));
    try {
      for (const name of names) {
        mkdirSync(dirname(join(marks, name)), { recursive: true });
        writeFileSync(join(marks, name), '');
      }
      await run('tar', ['--append', `--file=${target}`, `--directory=${marks}`, ...common], {
        input: list(names),
      });
    } finally {
      rmSync(marks, { recursive: true });
    }
  }
  return {
    path: target,
    diffId: `sha256:${await sha256File(target)}`,
    size: statSync(target).size,
    entries: content.paths.length + content.whiteouts.length,
  };
}
