import type { DraftObject } from '../image/layer/layer-draft.ts';
import type { Lease } from '../store/lease.ts';
import type { ObjectStore, ObjectWriter } from '../store/object-store.ts';
import type { ContentTaker } from './content-taker.ts';

/** What went by so far. */
export interface ImportTally {
  /** Content bytes of finished files. */
  bytes: number;
  /** Of those, bytes that were here already. */
  here: number;
  /** Bytes that had to be written. */
  written: number;
}

/** Stores each file as an object under the lease, adding to `tally`. */
export function createImportTaker(objects: ObjectStore, lease: Lease, tally: ImportTally): ContentTaker {
  let writer: ObjectWriter | undefined;
  let at = 0;
  let size = 0;

  function fillTo(offset: number): void {
    if (offset > at) (writer as ObjectWriter).writeZeros(offset - at);
    at = offset;
  }

  return {
    begin(expected) {
      writer = objects.write(lease, expected);
      at = 0;
      size = expected;
    },
    data(offset, bytes) {
      fillTo(offset);
      (writer as ObjectWriter).write(bytes);
      at += bytes.length;
    },
    end(): DraftObject {
      fillTo(size);
      const object = (writer as ObjectWriter).finish();
      writer = undefined;
      tally.bytes += object.size;
      tally.written += object.written;
      tally.here += object.size - Math.min(object.size, object.written);
      return {
        hash: object.cid.multihash.digest,
        size: object.size,
        ...(object.leaves === undefined ? {} : { leaves: object.leaves }),
      };
    },
    abort() {
      writer?.abort();
      writer = undefined;
    },
  };
}
