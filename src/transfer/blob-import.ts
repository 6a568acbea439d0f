import { createHash, type Hash } from 'node:crypto';
import { type Digest, digestOf, digestOfBytes } from '../base/digest.ts';
import { Fault, toFault } from '../base/fault.ts';
import { looksLikeTar } from '../image/tar/tar-header.ts';
import { createTarReader } from '../image/tar/tar-reader.ts';
import type { Lease } from '../store/lease.ts';
import type { FinishedObject, ObjectWriter } from '../store/object-store.ts';
import type { Store } from '../store/store.ts';
import { type Compression, compressionOf, decompress } from './decompress.ts';
import { readDroppedFrom } from './dropped-content.ts';
import { createImportTaker, type ImportTally } from './import-taker.ts';
import { createLayerAssembly, layerTooBig } from './layer-assembly.ts';
import { dagOfObject, type LayerBlockSink, type LayerDag, writeLayerBlocks } from './layer-blocks.ts';
import { peekStream } from './peek-stream.ts';
import type { TransferLimits } from './transfer-limits.ts';

const TAR_BLOCK = 512;

/** A layer whose tar was read to its end and stored. */
export interface ImportedLayer extends LayerDag {
  readonly diffId: Digest;
}

/**
 * One file of an archive or layout. small: short and no tar, held in memory (JSON and the like). layer: a tar,
 * stored as a layer. file: anything else, stored as
 * an object.
 */
export type ImportedBlob =
  | { readonly kind: 'small'; readonly digest: Digest; readonly size: number; readonly bytes: Buffer }
  | {
      readonly kind: 'layer';
      readonly digest: Digest;
      readonly size: number;
      readonly compression: Compression;
      readonly layer: ImportedLayer;
      /** Its exact bytes, where it is compressed. */
      readonly kept?: FinishedObject;
    }
  | {
      readonly kind: 'file';
      readonly digest: Digest;
      readonly size: number;
      readonly object: FinishedObject;
    };

export interface BlobImportContext {
  readonly store: Store;
  readonly lease: Lease;
  readonly limits: TransferLimits;
  readonly signal: AbortSignal;
  /** Called often while bytes go by. */
  readonly onBytes: (tally: Readonly<ImportTally>) => void;
}

/**
 * Reads one blob to its end and stores what it is.
 * @param name how errors call it
 * @param size bytes, where the container tells
 */
export async function importBlob(
  source: AsyncIterable<Uint8Array>,
  name: string,
  size: number,
  context: BlobImportContext,
): Promise<ImportedBlob> {
  try {
    const { head, stream } = await peekStream(source, TAR_BLOCK);
    const compression = compressionOf(head);
    if (compression !== 'none') return await importCompressed(stream, compression, context);
    if (isTar(head)) {
      const hash = createHash('sha256');
      const layer = await importLayer(hashed(stream, hash), context);
      return { kind: 'layer', digest: layer.diffId, size: layer.tarSize, compression, layer };
    }
    if (size <= context.limits.json) return await importSmall(stream, size);
    return await importFile(stream, size, context);
  } catch (thrown) {
    throw namedFault(thrown, name);
  }
}

/** No bytes at all are a tar without entries, as Go reads it. */
function isTar(head: Uint8Array): boolean {
  return head.length === 0 || (head.length === TAR_BLOCK && looksLikeTar(head));
}

async function importSmall(source: AsyncIterable<Uint8Array>, size: number): Promise<ImportedBlob> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece));
  const bytes = Buffer.concat(pieces);
  if (bytes.length !== size)
    throw new Fault('corrupt', 'short-blob', `it has ${bytes.length} bytes, not ${size}`);
  return { kind: 'small', digest: digestOfBytes(bytes), size, bytes };
}

async function importFile(
  source: AsyncIterable<Uint8Array>,
  size: number,
  context: BlobImportContext,
): Promise<ImportedBlob> {
  const hash = createHash('sha256');
  const writer = context.store.objects.write(context.lease, size);
  try {
    for await (const _ of written(hashed(source, hash), writer, context));
  } catch (error) {
    writer.abort();
    throw error;
  }
  const object = writer.finish();
  return { kind: 'file', digest: digestFrom(hash), size: object.size, object };
}

/** The exact bytes go into an object while the plain ones are read as a tar; what is no tar stays an object. */
async function importCompressed(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  context: BlobImportContext,
): Promise<ImportedBlob> {
  const hash = createHash('sha256');
  const writer = context.store.objects.write(context.lease);
  const raw = written(hashed(source, hash), writer, context);
  try {
    const { head, stream } = await peekStream(decompress(raw, compression, context.limits.ratio), TAR_BLOCK);
    let layer: ImportedLayer | undefined;
    if (isTar(head)) {
      layer = await importLayer(stream, context);
    } else {
      for await (const _ of stream);
    }
    for await (const _ of raw);
    const digest = digestFrom(hash);
    const object = writer.finish();
    if (layer === undefined) return { kind: 'file', digest, size: object.size, object };
    return { kind: 'layer', digest, size: object.size, compression, layer, kept: object };
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** Reads a plain tar to its end and stores it as a layer. */
export async function importLayer(
  source: AsyncIterable<Uint8Array>,
  context: BlobImportContext,
): Promise<ImportedLayer> {
  const { store, lease, limits, signal } = context;
  const tally: ImportTally = { bytes: 0, here: 0, written: 0 };
  const assembly = createLayerAssembly(createImportTaker(store.objects, lease, tally), limits);
  const reader = createTarReader(assembly, limits.tar);
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of source) {
      signal.throwIfAborted();
      size += chunk.length;
      if (size > limits.layerSize) throw layerTooBig(limits);
      hash.update(chunk);
      reader.push(chunk);
      context.onBytes(tally);
      await store.objects.drained(lease);
    }
    reader.end();
  } catch (error) {
    assembly.abort();
    throw error;
  }
  const dag = await writeLayerBlocks(assembly.finish(), storingSink(store, lease));
  context.onBytes(tally);
  return { ...dag, diffId: digestFrom(hash) };
}

function storingSink(store: Store, lease: Lease): LayerBlockSink {
  return {
    index(bytes) {
      const writer = store.objects.write(lease, bytes.length);
      writer.write(bytes);
      return dagOfObject(writer.finish());
    },
    block: (cid, bytes) => store.blocks.put(lease, cid, bytes),
    readDropped: readDroppedFrom(store),
    drained: () => store.objects.drained(lease),
  };
}

async function* hashed(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* written(
  source: AsyncIterable<Uint8Array>,
  writer: ObjectWriter,
  context: BlobImportContext,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    context.signal.throwIfAborted();
    writer.write(chunk);
    await context.store.objects.drained(context.lease);
    yield chunk;
  }
}

function digestFrom(hash: Hash): Digest {
  return digestOf(hash.digest());
}

/** Puts the blob's name before what went wrong in it. */
function namedFault(thrown: unknown, name: string): Fault {
  const fault = toFault(thrown);
  if (fault.kind === 'cancelled' || fault.kind === 'internal' || fault.code === 'disk-full') return fault;
  return new Fault(fault.kind, fault.code, `${name}: ${fault.message}`, {
    cause: fault,
    fields: { ...fault.fields, blob: name },
  });
}
