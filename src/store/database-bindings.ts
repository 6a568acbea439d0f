import { type Digest, digestBytes, digestOf } from '../base/digest.ts';
import type { Binding, Bindings } from './bindings.ts';
import type { Database } from './database.ts';
import { keyBehind, type Table } from './table.ts';

export interface BindingsComponents {
  /** 32 bytes of diffID -> the binding as JSON. */
  readonly bindings: Table;
  /** 32 bytes of a blob's digest -> 32 bytes of its diffID. */
  readonly blobs: Table;
  readonly database: Database;
}

const HERE = 'here';
const ROWS_A_STEP = 512;

export function openBindings({ bindings, blobs, database }: BindingsComponents): Bindings {
  const read = (value: Buffer): Binding => JSON.parse(value.toString()) as Binding;
  const get = (diffId: Digest): Binding | undefined => {
    const value = bindings.get(digestBytes(diffId));
    return value && read(value);
  };
  return {
    get,
    async put(binding) {
      const known = get(binding.diffId);
      if (known?.source === HERE && binding.source !== HERE) return;
      bindings.put(digestBytes(binding.diffId), Buffer.from(JSON.stringify(binding)));
      await database.durable();
    },
    diffIdOf(blob) {
      const value = blobs.get(digestBytes(blob));
      return value && digestOf(value);
    },
    async putBlob(blob, diffId) {
      blobs.put(digestBytes(blob), digestBytes(diffId));
      await database.durable();
    },
    async dropSource(peer) {
      await database.committed();
      for (let from: Buffer | undefined; ; ) {
        const rows = bindings.committedRows({ ...(from && { from }), limit: ROWS_A_STEP });
        for (const { key } of rows) {
          const current = bindings.get(key);
          if (current !== undefined && read(current).source === peer) bindings.remove(key);
        }
        const last = rows.at(-1);
        if (last === undefined || rows.length < ROWS_A_STEP) break;
        from = keyBehind(last.key);
      }
      await database.durable();
    },
  };
}
