import type { KeptBlob } from '../store/image-records.ts';

/** Both lists, each digest once. */
export function mergeKeptBlobs(before: readonly KeptBlob[], now: readonly KeptBlob[]): KeptBlob[] {
  return [...new Map([...before, ...now].map((blob) => [blob.digest, blob])).values()];
}
