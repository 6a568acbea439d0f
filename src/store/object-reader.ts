import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Fault, toFault } from '../base/fault.ts';

/**
 * Bytes `offset .. offset + length` of a file of the store.
 * @throws Fault `not-found/no-file` where it is gone, `corrupt/file-too-short`
 */
export async function readRange(path: string, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  try {
    const file = await open(path, 'r');
    try {
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw tooShort(path, offset + length);
        done += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readFault(error, path);
  }
  return bytes;
}

/** The same, blocking. */
export function readRangeSync(path: string, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  try {
    const file = openSync(path, 'r');
    try {
      for (let done = 0; done < length; ) {
        const got = readSync(file, bytes, done, length - done, offset + done);
        if (got === 0) throw tooShort(path, offset + length);
        done += got;
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw readFault(error, path);
  }
  return bytes;
}

function tooShort(path: string, wanted: number): Fault {
  return new Fault('corrupt', 'file-too-short', `${path} ends before byte ${wanted}`, { fields: { path } });
}

function readFault(error: unknown, path: string): Fault {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return toFault(error);
  return new Fault('not-found', 'no-file', `${path} is not there`, { fields: { path }, cause: error });
}
