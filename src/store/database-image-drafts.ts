import type { WalkedStore } from './dag-walk.ts';
import type { Database } from './database.ts';
import type { ImageDraft, ImageDrafts } from './image-drafts.ts';
import { markImage } from './image-marks.ts';
import type { PinMarks } from './pin-marks.ts';
import type { Table } from './table.ts';
import { createTurnPause } from './turn-pause.ts';

export interface ImageDraftsComponents {
  readonly table: Table;
  readonly database: Database;
  readonly walked: WalkedStore;
  readonly marks: PinMarks;
  readonly monotonic: () => number;
  readonly onRemoved: () => void;
}

const MAX_DRAFTS = 100_000;

export function openImageDrafts(components: ImageDraftsComponents): ImageDrafts {
  return new DatabaseImageDrafts(components);
}

class DatabaseImageDrafts implements ImageDrafts {
  readonly #components: ImageDraftsComponents;
  readonly #drafts = new Map<string, ImageDraft>();

  constructor(components: ImageDraftsComponents) {
    this.#components = components;
    for (const { value } of components.table.committedRows({ limit: MAX_DRAFTS })) {
      const draft = JSON.parse(value.toString()) as ImageDraft;
      this.#drafts.set(draft.key, draft);
    }
  }

  all(): Iterable<ImageDraft> {
    return [...this.#drafts.values()];
  }

  get(key: string): ImageDraft | undefined {
    return this.#drafts.get(key);
  }

  async put(draft: ImageDraft): Promise<void> {
    const { table, database, walked, marks: pins, monotonic } = this.#components;
    const marks = pins.begin();
    this.#drafts.set(draft.key, draft);
    table.put(Buffer.from(draft.key), Buffer.from(JSON.stringify(draft)));
    try {
      // A sweep that began before the draft was there has not marked what it names; a later one will.
      if (pins.sweeping)
        await markImage(draft.record, walked, marks, {
          pause: createTurnPause(monotonic),
          onMissing: () => {},
        });
      await database.durable();
    } finally {
      pins.end(marks);
    }
  }

  async remove(key: string): Promise<boolean> {
    if (!this.#drafts.delete(key)) return false;
    const { table, database, onRemoved } = this.#components;
    table.remove(Buffer.from(key));
    await database.durable();
    onRemoved();
    return true;
  }
}
