import { Fault } from '../base/fault.ts';
import type { Database } from './database.ts';
import type { ImageRecord, ImageRecords } from './image-records.ts';
import type { Table } from './table.ts';

export interface ImageRecordsComponents {
  readonly table: Table;
  readonly database: Database;
  readonly now: () => number;
  /** Marks all that the record names and sets shared marks; throws where something is not here. Ended by `end`. */
  readonly pin: (record: ImageRecord) => Promise<{ readonly end: () => void }>;
  /** Brings the data that a record names to disk. */
  readonly flush: () => Promise<void>;
  readonly onRemoved: () => void;
}

const MAX_IMAGES = 1_000_000;

export function openImageRecords(components: ImageRecordsComponents): ImageRecords {
  return new DatabaseImageRecords(components);
}

class DatabaseImageRecords implements ImageRecords {
  readonly #components: ImageRecordsComponents;
  readonly #records = new Map<string, ImageRecord>();
  readonly #listeners = new Set<() => void>();

  constructor(components: ImageRecordsComponents) {
    this.#components = components;
    for (const { value } of components.table.committedRows({ limit: MAX_IMAGES })) {
      const record = JSON.parse(value.toString()) as ImageRecord;
      this.#records.set(record.root, record);
    }
  }

  all(): Iterable<ImageRecord> {
    return [...this.#records.values()];
  }

  get(root: string): ImageRecord | undefined {
    return this.#records.get(root);
  }

  byId(prefix: string): ImageRecord[] {
    if (!/^[0-9a-f]{1,64}$/.test(prefix)) return [];
    const start = `sha256:${prefix}`;
    return [...this.#records.values()].filter(
      ({ indexDigest, manifests }) =>
        indexDigest?.startsWith(start) ||
        manifests.some(({ digest, imageId }) => digest.startsWith(start) || imageId.startsWith(start)),
    );
  }

  byName(name: string): ImageRecord[] {
    return [...this.#records.values()].filter(({ names }) => names.includes(name));
  }

  async put(record: ImageRecord): Promise<void> {
    const pinned = await this.#components.pin(record);
    try {
      // The data first: a record on disk never names what a power loss took.
      await this.#components.flush();
      await this.#record(record);
    } finally {
      pinned.end();
    }
    this.#changed();
  }

  /** Written durably, or as it was before. */
  async #record(record: ImageRecord): Promise<void> {
    const before = this.#records.get(record.root);
    this.#write(record);
    try {
      await this.#components.database.durable();
    } catch (error) {
      if (before === undefined) this.#drop(record.root);
      else this.#write(before);
      throw error;
    }
  }

  #drop(root: string): boolean {
    this.#components.table.remove(Buffer.from(root));
    return this.#records.delete(root);
  }

  async remove(root: string): Promise<boolean> {
    if (!this.#records.has(root)) return false;
    this.#drop(root);
    await this.#components.database.durable();
    this.#components.onRemoved();
    this.#changed();
    return true;
  }

  touch(root: string): void {
    const record = this.#records.get(root);
    if (record !== undefined) this.#write({ ...record, usedAt: this.#components.now() });
  }

  #write(record: ImageRecord): void {
    this.#records.set(record.root, record);
    this.#components.table.put(Buffer.from(record.root), Buffer.from(JSON.stringify(record)));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The fault of an image that is not whole here. */
export function incompleteImage(root: string, missing: readonly string[]): Fault {
  return new Fault(
    'invalid',
    'incomplete-image',
    `image ${root} is not complete here: block ${missing[0]} is missing`,
    { fields: { image: root, missing: missing.slice(0, 10) } },
  );
}
