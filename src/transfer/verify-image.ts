import { CID } from 'multiformats/cid';
import { digestHex } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { createFileHasher } from '../image/dag/file-hasher.ts';
import { readLayerRoot } from '../image/dag/image-roots.ts';
import type { ProgressListener } from '../observe/progress.ts';
import type { ImageRecord, LayerRecord } from '../store/image-records.ts';
import type { Lease } from '../store/lease.ts';
import { ID_DIGITS } from './image-names.ts';
import { verifyLayer } from './layer-verify.ts';
import { createProgressReporter } from './progress-reporter.ts';
import { openStoredLayer, type StoredLayer } from './stored-layer.ts';
import type { TransferComponents, TransferSettings } from './transfer-components.ts';

export interface ImageVerification {
  readonly layers: number;
  readonly objects: number;
  /** Content bytes that were read and hashed. */
  readonly bytes: number;
  /** One line each; empty: all is well. */
  readonly problems: readonly string[];
}

const PIECE = 1024 * 1024;

/**
 * Reads every byte of an image back and hashes it; then rebuilds each layer's tar and compares it with its diffID.
 * What does not hash to its CID goes to quarantine, so that the next pull brings it anew.
 */
export async function verifyImage(
  components: TransferComponents,
  settings: TransferSettings,
  record: ImageRecord,
  options: { readonly onProgress: ProgressListener; readonly signal: AbortSignal },
): Promise<ImageVerification> {
  const { store, clock } = components;
  const reporter = createProgressReporter(clock, options.onProgress);
  const problems: string[] = [];
  /** Objects that were read, and whether they were whole. */
  const seen = new Map<string, boolean>();
  const layers = uniqueLayers(record);
  let bytes = 0;
  const lease = store.lease('verify');

  async function checkObject(cid: CID, size: number, onBytes: () => void): Promise<boolean> {
    options.signal.throwIfAborted();
    const known = seen.get(cid.toString());
    if (known !== undefined) return known;
    const whole = await readObject(cid, size, onBytes);
    seen.set(cid.toString(), whole);
    return whole;
  }

  async function readObject(cid: CID, size: number, onBytes: () => void): Promise<boolean> {
    if (!store.objects.has(cid)) {
      problems.push(`object ${cid} is not here`);
      return false;
    }
    const damage = await findDamage(cid, size, onBytes);
    if (damage === undefined) return true;
    problems.push(`object ${cid} ${damage}: pull the image again`);
    await store.quarantine(cid);
    return false;
  }

  /** What is wrong with the file of an object. */
  async function findDamage(cid: CID, size: number, onBytes: () => void): Promise<string | undefined> {
    const hasher = createFileHasher();
    try {
      for (let at = 0; at < size; at += PIECE) {
        const piece = await store.objects.read(cid, at, Math.min(PIECE, size - at));
        hasher.update(piece);
        bytes += piece.length;
        onBytes();
        if (piece.length === 0) break;
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.code === 'file-too-short') return 'was cut short on disk; it is in quarantine';
      if (error.code === 'no-file') return 'is gone from the disk';
      throw error;
    }
    return hasher.finish().cid.toString() === cid.toString()
      ? undefined
      : 'had other bytes on disk; it is in quarantine';
  }

  async function checkLayer(layer: LayerRecord, lease: Lease): Promise<void> {
    const report = reporter.layer(
      digestHex(layer.diffId ?? layer.digest).slice(0, ID_DIGITS),
      layer.tarSize ?? layer.size,
    );
    const root = CID.parse(layer.root as string);
    const before = bytes;
    const update = (): void => {
      report.update('verifying', bytes - before, 0);
      reporter.total(bytes, 0, 0, { total: record.contentSize });
    };
    if (layer.diffId === undefined) {
      await checkObject(root, layer.size, update);
      return;
    }
    // the index first: nothing that it says can be read while it is damaged
    const { index } = readLayerRoot(root, (cid) => store.blocks.getSync(cid));
    if (!(await checkObject(index.cid, store.objects.info(index.cid)?.size ?? 0, update))) return;
    const stored = await openStoredLayer(store, root);
    const whole = await checkObjects(stored, update);
    if (whole) await verifyLayer(store, stored, layer.diffId, { ...settings, signal: options.signal, lease });
    report.update('done', bytes - before, 0);
  }

  async function checkObjects({ index }: StoredLayer, update: () => void): Promise<boolean> {
    let whole = true;
    for (let object = 0; object < index.objectCount; object++) {
      whole = (await checkObject(index.objectCid(object), index.objectSize(object), update)) && whole;
    }
    return whole;
  }

  try {
    for (const layer of layers) {
      try {
        await checkLayer(layer, lease);
      } catch (error) {
        if (!(error instanceof Fault) || (error.kind !== 'corrupt' && error.kind !== 'not-found'))
          throw error;
        problems.push(error.message);
      }
    }
    for (const { cid, size } of record.keptBlobs) await checkObject(CID.parse(cid), size, () => {});
    reporter.settle();
  } finally {
    lease.end();
  }
  return { layers: layers.length, objects: seen.size, bytes, problems };
}

function uniqueLayers(record: ImageRecord): LayerRecord[] {
  const layers = record.manifests
    .flatMap((manifest) => manifest.layers)
    .filter(({ root }) => root !== undefined);
  return [...new Map(layers.map((layer) => [layer.root, layer])).values()];
}
