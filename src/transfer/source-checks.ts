import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import type { ImportedBlob } from './blob-import.ts';
import type { TransferLimits } from './transfer-limits.ts';

/** @throws Fault `corrupt/diffid-mismatch` */
export function checkDiffId(layer: string, found: Digest, claimed: Digest): void {
  if (found === claimed) return;
  throw new Fault(
    'corrupt',
    'diffid-mismatch',
    `${layer}: its uncompressed bytes are ${found}, but the config says ${claimed}`,
    { fields: { layer, found, claimed } },
  );
}

/** @throws Fault `invalid/too-many-layers` */
export function checkLayerCount(count: number, limits: TransferLimits): void {
  if (count <= limits.layers) return;
  throw new Fault(
    'invalid',
    'too-many-layers',
    `the image has ${count} layers, at most ${limits.layers} (limits.layers)`,
  );
}

/** What stands where JSON must: too long to be read as such, or a tar. */
export function noJson(path: string, blob: ImportedBlob): Fault {
  if (blob.kind === 'file') {
    return new Fault(
      'invalid',
      'json-too-big',
      `${path} has ${blob.size} bytes: no JSON document is so big (limits.json)`,
      {
        fields: { path, size: blob.size },
      },
    );
  }
  return new Fault('corrupt', 'not-json', `${path} is no JSON document`, { fields: { path } });
}

export function missingFile(path: string): Fault {
  return new Fault('corrupt', 'missing-file', `the archive names ${path} but does not hold it`, {
    fields: { path },
  });
}
