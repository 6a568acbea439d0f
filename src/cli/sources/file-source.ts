import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { Fault } from '../../base/fault.ts';
import type { PushSource } from './push-source.ts';

/** Reads of this size keep up with the station; the default of 64 KiB does not. */
const READ_SIZE = 1 << 20;

/** A docker-archive or an OCI archive as a file. The station tells which it is, and what compression it has. */
export function fileSource(argument: string, path: string, names: readonly string[]): PushSource {
  return {
    request: { argument, by: 'file', names },
    open: async () => {
      const stream = createReadStream(path, { highWaterMark: READ_SIZE });
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      stream.once('open', () => resolve());
      stream.once('error', reject);
      await promise.catch((error: Error) => {
        throw new Fault('denied', 'file-unreadable', `${path} cannot be read: ${error.message}`, {
          cause: error,
          fields: { path },
        });
      });
      return stream;
    },
  };
}

/** The same from standard input: `docker save x | dkr-shp push -`. */
export function inputSource(names: readonly string[], input: NodeJS.ReadableStream): PushSource {
  return {
    request: { argument: '-', by: 'file', names },
    open: async () => (input instanceof Readable ? input : Readable.from(input)),
  };
}
