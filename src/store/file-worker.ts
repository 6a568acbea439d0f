import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { FileBatch, FileBatchDone, FileOp, FileOpFailure, FileWorkerData } from './file-op.ts';
import { decodeOps } from './file-op-codec.ts';

// Writes of one thread with plain system calls: by node:fs/promises a small file costs four round trips through
// libuv's pool (10,000 files: 1.9 s against 0.4 s), and on the main thread a slow disk would stop everything.

interface OpenStream {
  /** -1 where it could not be made. */
  readonly file: number;
  position: number;
  failure?: NodeJS.ErrnoException;
}

const MAX_OPEN_PATCHED = 32;
const COPY_STEP = 1024 * 1024;
const streams = new Map<string, OpenStream>();
/** Partial files stay open between their leaves; least recently used first. */
const patched = new Map<string, number>();
let copyBuffer: Buffer | undefined;

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}

function copyAll(from: string, fromOffset: number, length: number, file: number, position: number): void {
  copyBuffer ??= Buffer.allocUnsafe(COPY_STEP);
  const source = openSync(from, 'r');
  try {
    for (let done = 0; done < length; ) {
      const got = readSync(source, copyBuffer, 0, Math.min(COPY_STEP, length - done), fromOffset + done);
      if (got === 0)
        throw Object.assign(new Error(`${from} is shorter than it was`), { code: 'EIO', path: from });
      writeAll(file, copyBuffer.subarray(0, got), position + done);
      done += got;
    }
  } finally {
    closeSync(source);
  }
}

/** Renames, making the two-character folder where it is missing. */
function moveInto(from: string, path: string): void {
  try {
    renameSync(from, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true });
    renameSync(from, path);
  }
}

function writeWhole(tmp: string, path: string, bytes: Uint8Array): void {
  const file = openSync(tmp, 'wx', 0o644);
  try {
    writeAll(file, bytes, 0);
  } catch (error) {
    closeSync(file);
    rmSync(tmp, { force: true });
    throw error;
  }
  closeSync(file);
  moveInto(tmp, path);
}

function openStream(path: string): OpenStream {
  let stream: OpenStream;
  try {
    stream = { file: openSync(path, 'wx', 0o644), position: 0 };
  } catch (error) {
    stream = { file: -1, position: 0, failure: error as NodeJS.ErrnoException };
  }
  streams.set(path, stream);
  return stream;
}

/** Runs one step of a stream; an error is kept for `publish`. */
function onStream(path: string, step: (stream: OpenStream) => void): void {
  const stream = streams.get(path) ?? openStream(path);
  if (stream.failure !== undefined) return;
  try {
    step(stream);
  } catch (error) {
    stream.failure = error as NodeJS.ErrnoException;
  }
}

function endStream(path: string): OpenStream | undefined {
  const stream = streams.get(path);
  if (stream === undefined) return undefined;
  streams.delete(path);
  if (stream.file >= 0) closeSync(stream.file);
  return stream;
}

function publish(path: string, target: string): void {
  // A hole at the end is only there once the file is as long as its content.
  onStream(path, ({ file, position }) => ftruncateSync(file, position));
  const stream = endStream(path);
  if (stream?.failure !== undefined) {
    rmSync(path, { force: true });
    throw stream.failure;
  }
  moveInto(path, target);
}

function patchedFile(path: string, size: number): number {
  let file = patched.get(path);
  if (file === undefined) {
    try {
      file = openSync(path, 'r+');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      file = openSync(path, 'w+', 0o644);
      ftruncateSync(file, size);
    }
    if (patched.size >= MAX_OPEN_PATCHED) {
      const [oldest] = patched.keys();
      forgetPatched(oldest as string);
    }
  } else {
    patched.delete(path);
  }
  patched.set(path, file);
  return file;
}

function forgetPatched(path: string): void {
  const file = patched.get(path);
  if (file === undefined) return;
  patched.delete(path);
  closeSync(file);
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function run(op: FileOp, slab: Uint8Array): void {
  switch (op.op) {
    case 'write':
      writeWhole(op.tmp, op.path, slab.subarray(op.at, op.at + op.length));
      break;
    case 'append':
      onStream(op.stream, (stream) => {
        writeAll(stream.file, slab.subarray(op.at, op.at + op.length), stream.position);
        stream.position += op.length;
      });
      break;
    case 'hole':
      onStream(op.stream, (stream) => {
        stream.position += op.length;
      });
      break;
    case 'copy':
      onStream(op.stream, (stream) => {
        copyAll(op.from, 0, op.length, stream.file, stream.position);
        stream.position += op.length;
      });
      break;
    case 'publish':
      publish(op.stream, op.path);
      break;
    case 'discard':
      endStream(op.stream);
      unlinkIfThere(op.stream);
      break;
    case 'patch':
      writeAll(patchedFile(op.path, op.size), slab.subarray(op.at, op.at + op.length), op.offset);
      break;
    case 'patch-from':
      copyAll(op.from, op.fromOffset, op.length, patchedFile(op.path, op.size), op.offset);
      break;
    case 'move':
      // A file of zeros alone was never patched.
      if (op.size !== undefined) patchedFile(op.from, op.size);
      forgetPatched(op.from);
      moveInto(op.from, op.path);
      break;
    case 'unlink':
      forgetPatched(op.path);
      unlinkIfThere(op.path);
      break;
  }
}

function pathOf(op: FileOp): string {
  return 'path' in op ? op.path : op.stream;
}

const { progress, folder, reserveBytes } = workerData as FileWorkerData;

/** Bytes that the operations of one batch may still take. */
function room(): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize - reserveBytes;
}

/** Bytes that an operation takes on disk at most. */
function cost(op: FileOp): number {
  return 'length' in op && op.op !== 'hole' ? op.length : 0;
}

/** As if the disk had refused it. */
function refuse(op: FileOp): void {
  if (!('stream' in op)) throw full(pathOf(op));
  onStream(op.stream, () => {
    throw full(op.stream);
  });
}

function full(path: string): Error {
  return Object.assign(new Error(`ENOSPC: no space left on device, ${path}`), { code: 'ENOSPC', path });
}

parentPort?.on('message', ({ id, slab, ...packed }: FileBatch) => {
  const bytes = new Uint8Array(slab);
  const failures: FileOpFailure[] = [];
  let left = room();
  decodeOps(packed).forEach((op, index) => {
    try {
      const taken = cost(op);
      if (taken > 0 && taken > left) refuse(op);
      left -= taken;
      run(op, bytes);
    } catch (error) {
      const { code = 'EIO', message } = error as NodeJS.ErrnoException;
      failures.push({ index, code, message, path: pathOf(op) });
    }
  });
  const done: FileBatchDone = { id, failures, slab };
  parentPort?.postMessage(done, [slab]);
  Atomics.store(progress, 0, id);
  Atomics.notify(progress, 0);
});
