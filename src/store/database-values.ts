import { Fault } from '../base/fault.ts';
import type { Database } from './database.ts';
import type { Table } from './table.ts';
import type { Values } from './values.ts';

/** A value is small: what is bigger belongs into blocks. */
const MAX_VALUE_BYTES = 16 * 1024 * 1024;

export function openValues(table: Table, database: Database): Values {
  return {
    get<T>(name: string): T | undefined {
      const value = table.get(Buffer.from(name));
      return value && (JSON.parse(value.toString()) as T);
    },
    async put<T>(name: string, value: T): Promise<void> {
      const bytes = Buffer.from(JSON.stringify(value));
      if (bytes.length > MAX_VALUE_BYTES) {
        throw new Fault('invalid', 'value-too-big', `value ${name} has ${bytes.length} bytes`, {
          fields: { name, size: bytes.length, limit: MAX_VALUE_BYTES },
        });
      }
      table.put(Buffer.from(name), bytes);
      await database.durable();
    },
    async delete(name: string): Promise<void> {
      table.remove(Buffer.from(name));
      await database.durable();
    },
  };
}
