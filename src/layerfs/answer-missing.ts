import { toFault } from '../base/fault.ts';
import type { RequestId } from '../fuse/filesystem.ts';
import { storeLayout } from '../store/store-layout.ts';
import { ERRNO } from '../syscalls/errno.ts';
import { type ContentReader, createContentReader } from './content-reader.ts';
import type { MissingAnswers, MissingAnswersComponents, MissingAnswersSettings } from './missing-answers.ts';
import type { MissingContent } from './missing-content.ts';

/** Requests that wait at once: each costs the kernel a sleeping reader and this process about 1 KB. */
const MAX_WAITING = 4096;
/** Wants for which nobody waits; more are dropped. */
const MAX_AHEAD_WANTS = 64;

export function createMissingAnswers(
  components: MissingAnswersComponents,
  settings: MissingAnswersSettings,
): MissingAnswers {
  return new StationAnswers(components, settings);
}

/** One want at the station, for all that wait for the same leaves. */
interface Want {
  readonly key: string;
  readonly abort: AbortController;
  readonly readers: Set<Reader>;
  readonly begun: number;
}

/** A request of the kernel that waits. */
interface Reader {
  readonly missing: MissingContent;
  readonly want: Want;
}

class StationAnswers implements MissingAnswers {
  readonly #components: MissingAnswersComponents;
  readonly #reader: ContentReader;
  readonly #maxWaiting: number;
  readonly #wants = new Map<string, Want>();
  readonly #readers = new Map<string, Reader>();
  readonly #closed = new AbortController();
  #ahead = 0;
  #refused = 0;

  constructor(components: MissingAnswersComponents, settings: MissingAnswersSettings) {
    this.#components = components;
    this.#reader = createContentReader(storeLayout(settings.root));
    this.#maxWaiting = settings.maxWaiting ?? MAX_WAITING;
  }

  get waiting(): number {
    return this.#readers.size;
  }

  take(missing: MissingContent): void {
    if (missing.answer.kind === 'ahead') {
      void this.#fetchAhead(missing);
      return;
    }
    if (this.#readers.size >= this.#maxWaiting) {
      this.#refuse(missing);
      return;
    }
    const key = `${missing.chain} ${missing.layer} ${missing.object} ${missing.first} ${missing.end}`;
    const known = this.#wants.get(key);
    const want = known ?? {
      key,
      abort: new AbortController(),
      readers: new Set<Reader>(),
      begun: this.#components.now(),
    };
    const reader = { missing, want };
    want.readers.add(reader);
    this.#readers.set(textOf(missing.request), reader);
    if (known !== undefined) return;
    this.#wants.set(key, want);
    void this.#ask(want, missing);
  }

  #refuse(missing: MissingContent): void {
    const { logger } = this.#components;
    // One line for each power of two: a flood of readers must not be a flood of lines.
    if ((++this.#refused & (this.#refused - 1)) === 0) {
      logger.error(
        { chain: missing.chain, path: missing.path, waiting: this.#readers.size, refused: this.#refused },
        `${missing.path} cannot be read: ${this.#readers.size} readers wait for content already`,
      );
    }
    this.#fail(missing, ERRNO.EIO);
  }

  async #ask(want: Want, missing: MissingContent): Promise<void> {
    const { logger, now } = this.#components;
    try {
      const { complete } = await this.#components.want(missing, want.abort.signal);
      this.#wants.delete(want.key);
      // Each is answered on its own: one that cannot be read does not hold up the others.
      await Promise.all([...want.readers].map((reader) => this.#answer(reader, complete)));
    } catch (thrown) {
      if (this.#wants.get(want.key) === want) this.#wants.delete(want.key);
      if (want.readers.size === 0) return;
      const { message, code, fields } = toFault(thrown);
      const { chain, path, cid, first, end } = missing;
      logger.error(
        { chain, path, cid, first, end, code, waited: Math.round(now() - want.begun), ...fields },
        `${path} cannot be read: ${message}`,
      );
      for (const reader of [...want.readers])
        this.#finish(reader, true, () => this.#fail(reader.missing, ERRNO.EIO));
    }
  }

  async #answer(reader: Reader, complete: boolean): Promise<void> {
    const { replies, logger } = this.#components;
    const { missing } = reader;
    const { request, answer, cid, leaves, first, end } = missing;
    const what = { cid, leaves, first, end, complete };
    try {
      if (answer.kind === 'read') {
        const bytes = await this.#reader.read(what, answer.offset, answer.length);
        this.#finish(reader, false, () => replies.bytes(request, bytes));
      } else if (answer.kind === 'open') {
        await this.#reader.mark(what);
        this.#finish(reader, false, () => replies.opened(request, answer.handle));
      }
    } catch (thrown) {
      const { message, code, fields } = toFault(thrown);
      logger.error(
        { chain: missing.chain, path: missing.path, cid, code, ...fields },
        `${missing.path} cannot be read: ${message}`,
      );
      this.#finish(reader, true, () => this.#fail(missing, ERRNO.EIO));
    }
  }

  /** Sends a reply, unless the reader was interrupted meanwhile. */
  #finish(reader: Reader, failed: boolean, reply: () => void): void {
    if (!reader.want.readers.delete(reader)) return;
    const name = textOf(reader.missing.request);
    if (this.#readers.get(name) === reader) this.#readers.delete(name);
    const { waited, now } = this.#components;
    reply();
    waited?.(reader.missing.chain, now() - reader.want.begun, failed);
  }

  #fail(missing: MissingContent, errno: number): void {
    const { node, answer, request } = missing;
    // Counted as opened before it was handed over.
    if (answer.kind === 'open') this.#components.command({ do: 'uncount', node, handle: answer.handle });
    this.#components.replies.error(request, errno);
  }

  interrupt(request: RequestId): void {
    const name = textOf(request);
    const reader = this.#readers.get(name);
    if (reader === undefined) return;
    this.#readers.delete(name);
    const { want, missing } = reader;
    want.readers.delete(reader);
    this.#fail(missing, ERRNO.EINTR);
    if (want.readers.size > 0) return;
    if (this.#wants.get(want.key) === want) this.#wants.delete(want.key);
    want.abort.abort();
  }

  async #fetchAhead(missing: MissingContent): Promise<void> {
    if (this.#ahead >= MAX_AHEAD_WANTS || this.#closed.signal.aborted) return;
    this.#ahead++;
    try {
      const { complete } = await this.#components.want(missing, this.#closed.signal);
      const { cid, leaves, first, end } = missing;
      await this.#reader.mark({ cid, leaves, first, end, complete });
    } catch (thrown) {
      // Who needs it asks for it, and then hears why.
      const { message, code } = toFault(thrown);
      this.#components.logger.debug(
        { chain: missing.chain, path: missing.path, code },
        `nothing fetched ahead: ${message}`,
      );
    } finally {
      this.#ahead--;
    }
  }

  close(): void {
    this.#closed.abort();
    for (const reader of [...this.#readers.values()]) {
      this.#finish(reader, true, () => this.#fail(reader.missing, ERRNO.EIO));
      if (reader.want.readers.size === 0) reader.want.abort.abort();
    }
  }
}

function textOf({ high, low }: RequestId): string {
  return `${high}:${low}`;
}
