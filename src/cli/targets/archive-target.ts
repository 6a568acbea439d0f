import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault, toFault } from '../../base/fault.ts';
import type { ExportFormat } from '../../observe/control/requests.ts';

/** `-o` of pull. */
export interface ArchiveTarget {
  /** `-` is standard output. */
  readonly path: string;
  readonly format: ExportFormat;
}

const PREFIX = /^(docker-archive|oci-archive|docker|oci):(.+)$/s;

/**
 * `image.tar`, `docker-archive:image.tar`, `oci:image.tar`; the prefix is stronger than `--format`.
 * @param format `docker`, `oci`, or what it was not given
 * @throws Fault `invalid/bad-format`
 */
export function parseArchiveTarget(output: string, format: string | undefined): ArchiveTarget {
  const prefixed = PREFIX.exec(output);
  const word = prefixed?.[1] ?? format ?? 'docker';
  const path = prefixed?.[2] ?? output;
  if (word.startsWith('docker')) return { path, format: 'docker-archive' };
  if (word === 'oci' || word === 'oci-archive') return { path, format: 'oci-archive' };
  throw new Fault('invalid', 'bad-format', `there is no format ${JSON.stringify(word)}: give docker or oci`, {
    fields: { format: word },
  });
}

/**
 * Writes the stream to a temporary file beside `path` and renames it when it is whole: there is never half a file
 * under the name.
 * @throws Fault `denied/file-not-writable`, `unavailable/disk-full`, and what the stream fails with
 */
export async function writeArchive(path: string, stream: Readable, signal: AbortSignal): Promise<void> {
  const temporary = `${path}.${process.pid}.part`;
  const file = createWriteStream(temporary, { flags: 'wx', flush: true, highWaterMark: 1 << 20 });
  try {
    await pipeline(stream, file, { signal });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    const errno = (error as NodeJS.ErrnoException).code ?? '';
    if (['EACCES', 'ENOENT', 'ENOTDIR', 'EISDIR', 'EROFS', 'EPERM'].includes(errno)) {
      const why = errno === 'EISDIR' ? `${path} is a folder` : `${dirname(path)}: ${errno}`;
      throw new Fault('denied', 'file-not-writable', `${path} cannot be written: ${why}`, {
        cause: error,
        fields: { path },
      });
    }
    if (errno === 'ENOSPC' || errno === 'EDQUOT') {
      throw new Fault('unavailable', 'disk-full', `${path} cannot be written: its disk is full (${errno})`, {
        cause: error,
        fields: { path },
      });
    }
    throw toFault(error);
  }
}
