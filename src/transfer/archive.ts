import { posix } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { extract as createExtract } from 'tar-stream';
import { Fault } from '../base/fault.ts';
import { type BlobImportContext, type ImportedBlob, importBlob } from './blob-import.ts';
import { compressionOf, decompress } from './decompress.ts';
import type { ImportTally } from './import-taker.ts';
import { peekStream } from './peek-stream.ts';

/** Files and links: layers, manifests, configs, VERSION files of old archives. */
const MAX_FILES = 16_384;
/** Files that are no layers are held in memory. */
const MAX_SMALL_BYTES = 64 * 1024 * 1024;
const MAX_LINK_STEPS = 16;

/** The files of a docker-archive or OCI layout tar, each read once in the order of the stream and stored. */
export interface Archive {
  /** By path inside the archive, links followed. */
  find(path: string): ImportedBlob | undefined;
}

export interface ArchiveReadContext extends Omit<BlobImportContext, 'onBytes'> {
  readonly onFile: (path: string, size: number) => FileReport;
}

/** Is told how one file of the archive goes. */
export interface FileReport {
  /** Called while a layer or other big file is stored; never for files held in memory. */
  bytes(tally: Readonly<ImportTally>): void;
  end(blob: ImportedBlob): void;
}

/**
 * Reads the whole tar (itself plain, gzip or zstd) without seeking: what a layer is shows in its first bytes, what an
 * image is made of is told by JSON that may come last.
 * @throws Fault `corrupt/bad-archive` and all of {@link importBlob}
 */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  context: ArchiveReadContext,
): Promise<Archive> {
  const blobs = new Map<string, ImportedBlob>();
  const links = new Map<string, string>();
  let smallBytes = 0;
  let entries = 0;
  let empty: ImportedBlob | undefined;

  const { head, stream } = await peekStream(source, 512);
  if (head.length === 0) throw badArchive(new Error('it is empty'));
  const extract = createExtract();
  let broken: unknown;
  extract.on('error', (error) => {
    broken = error;
  });
  pipeline(Readable.from(decompress(stream, compressionOf(head), context.limits.ratio)), extract, () => {});
  try {
    for await (const entry of extract) {
      context.signal.throwIfAborted();
      const { type, linkname } = entry.header;
      const path = cleanPath(entry.header.name);
      entries++;
      if (entries > MAX_FILES) {
        throw new Fault(
          'invalid',
          'archive-too-many-files',
          `the archive has more than ${MAX_FILES} entries: it is no image`,
        );
      }
      if (type === 'symlink' || type === 'link') {
        const target = linkname ?? '';
        links.set(path, cleanPath(type === 'link' ? target : posix.join(posix.dirname(path), target)));
        entry.resume();
        continue;
      }
      if (type !== 'file' && type !== 'contiguous-file') {
        entry.resume();
        continue;
      }
      const size = entry.header.size ?? 0;
      const report = context.onFile(path, size);
      const read = (): Promise<ImportedBlob> =>
        importBlob(entry as unknown as AsyncIterable<Uint8Array>, path, size, {
          ...context,
          onBytes: (tally) => report.bytes(tally),
        });
      // files of no bytes are one layer of no entries: a thousand of them cost no thousand imports
      let blob: ImportedBlob;
      if (size === 0) {
        empty ??= await read();
        entry.resume();
        blob = empty;
      } else {
        blob = await read();
      }
      if (blob.kind === 'small') {
        smallBytes += blob.size;
        if (smallBytes > MAX_SMALL_BYTES) {
          throw new Fault(
            'invalid',
            'archive-too-many-files',
            `the files of the archive that are no layers have more than ${MAX_SMALL_BYTES} bytes`,
          );
        }
      }
      blobs.set(path, blob);
      report.end(blob);
    }
  } catch (error) {
    // while a file is read, the break shows through the file's import
    const cause = error instanceof Fault && error.kind === 'internal' ? error.cause : error;
    if (cause === broken && !(cause instanceof Fault) && isTarError(cause)) throw badArchive(cause);
    throw error;
  } finally {
    extract.destroy();
  }
  return {
    find(path) {
      let at = cleanPath(path);
      for (let step = 0; step < MAX_LINK_STEPS; step++) {
        const blob = blobs.get(at);
        if (blob !== undefined) return blob;
        const target = links.get(at);
        if (target === undefined) return undefined;
        at = target;
      }
      return undefined;
    },
  };
}

/** Names here only look up what the archive holds, so `..` that leaves its root is cut off, never followed. */
function cleanPath(path: string): string {
  return posix.normalize(`/${path}`).slice(1).replace(/\/$/, '');
}

/** tar-stream's own errors have no code, unlike those of the streams before it. */
function isTarError(error: unknown): error is Error {
  return error instanceof Error && error.name !== 'AbortError' && !('code' in error);
}

function badArchive(cause: Error): Fault {
  return new Fault('corrupt', 'bad-archive', `not a whole tar archive: ${cause.message}`, { cause });
}
