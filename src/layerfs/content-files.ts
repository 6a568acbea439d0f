import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { leafCount } from '../image/dag/file-dag.ts';
import type { StoreLayout } from '../store/store-layout.ts';
import { createSharedLeaves, type SharedLeaves } from './shared-leaves.ts';

/** The content of one object, while files of it are open in READ mode. */
export interface Content {
  readonly cid: string;
  readonly size: number;
  /** Of an object of more than one leaf: what is here. */
  readonly leaves: SharedLeaves | undefined;
}

/** Objects that are read by the FUSE thread itself: their files, a bounded number of them open. */
export interface ContentFiles {
  /** One more file of the object is open. @param cid asked for where nobody has it open */
  open(node: number, size: number, cid: () => string): Content;
  /** The content of a node that has a file open; `undefined` for one opened before a restart. */
  get(node: number): Content | undefined;
  close(node: number): void;
  /** None of the node's is open any more. */
  drop(node: number): void;
  /** Whether leaves `[first, end)` can be read now. Looks at the disk at most every {@link LOOK_MS} where they cannot. */
  has(content: Content, first: number, end: number): boolean;
  /**
   * Bytes of leaves for which {@link has} held just now.
   * @returns bytes read; less than asked for where the file is shorter than its object
   * @throws what reading fails with
   */
  read(content: Content, into: Uint8Array, offset: number): number;
  closeAll(): void;
}

export interface ContentFilesComponents {
  readonly layout: StoreLayout;
  readonly clock: Clock;
}

export interface ContentFilesSettings {
  /** Files open at a time. */
  readonly maxFiles: number;
}

/** The station writes the marks of a partial object this late at most (store/live-partial.ts): looking oftener tells nothing new. */
export const LOOK_MS = 500;

interface OpenContent extends Content {
  users: number;
  /** -1: not open. */
  file: number;
  /** `file` lies in `cas/`. */
  whole: boolean;
  /** Monotonic milliseconds. */
  looked: number;
  used: number;
}

export function createContentFiles(
  components: ContentFilesComponents,
  settings: ContentFilesSettings,
): ContentFiles {
  return new CachedFiles(components, settings);
}

class CachedFiles implements ContentFiles {
  readonly #layout: StoreLayout;
  readonly #clock: Clock;
  readonly #maxFiles: number;
  readonly #byNode = new Map<number, { content: OpenContent; opens: number }>();
  readonly #byCid = new Map<string, OpenContent>();
  #files = 0;
  #uses = 0;

  constructor({ layout, clock }: ContentFilesComponents, { maxFiles }: ContentFilesSettings) {
    this.#layout = layout;
    this.#clock = clock;
    this.#maxFiles = maxFiles;
  }

  open(node: number, size: number, cid: () => string): Content {
    const known = this.#byNode.get(node);
    if (known !== undefined) {
      known.opens++;
      return known.content;
    }
    const name = cid();
    let content = this.#byCid.get(name);
    if (content === undefined) {
      const count = leafCount(size);
      const leaves = count > 1 ? createSharedLeaves(count) : undefined;
      content = {
        cid: name,
        size,
        leaves,
        users: 0,
        file: -1,
        whole: false,
        looked: Number.NEGATIVE_INFINITY,
        used: 0,
      };
      this.#byCid.set(name, content);
    }
    content.users++;
    this.#byNode.set(node, { content, opens: 1 });
    return content;
  }

  get(node: number): Content | undefined {
    return this.#byNode.get(node)?.content;
  }

  close(node: number): void {
    const known = this.#byNode.get(node);
    if (known !== undefined && --known.opens === 0) this.drop(node);
  }

  drop(node: number): void {
    const content = this.#byNode.get(node)?.content;
    if (content === undefined) return;
    this.#byNode.delete(node);
    if (--content.users > 0) return;
    this.#byCid.delete(content.cid);
    this.#closeFile(content);
  }

  has(content: OpenContent, first: number, end: number): boolean {
    const { leaves } = content;
    if (content.whole || (leaves === undefined ? false : this.#hasMarks(content, leaves, first, end)))
      return true;
    const now = this.#clock.monotonic();
    // A small object is looked for each time: once it was asked for, the answer is there or an error.
    if (leaves !== undefined && now - content.looked < LOOK_MS) return false;
    content.looked = now;
    if (this.#openWhole(content)) return true;
    return leaves !== undefined && this.#openPartial(content, leaves) && leaves.has(first, end);
  }

  #hasMarks(content: OpenContent, leaves: SharedLeaves, first: number, end: number): boolean {
    if (leaves.whole) return this.#openWhole(content);
    if (leaves.stale) return this.#openPartial(content, leaves) && leaves.has(first, end);
    // Its file may have been closed in favour of others.
    if (!leaves.has(first, end)) return false;
    return (
      content.file >= 0 ||
      (this.#openPartial(content, leaves) && leaves.has(first, end)) ||
      this.#openWhole(content)
    );
  }

  #openWhole(content: OpenContent): boolean {
    if (content.whole && content.file >= 0) return true;
    const file = openIfThere(this.#layout.object(content.cid));
    if (file < 0) return false;
    this.#keepFile(content, file);
    content.whole = true;
    return true;
  }

  #openPartial(content: OpenContent, leaves: SharedLeaves): boolean {
    const file = openIfThere(this.#layout.partial(content.cid));
    if (file < 0) return false;
    const { ino } = fstatSync(file);
    if (leaves.inode !== ino) leaves.clear();
    leaves.inode = ino;
    leaves.stale = false;
    this.#keepFile(content, file);
    // Read behind the file: marks are written after the bytes, into the file that has the name now.
    const bits = readIfThere(this.#layout.bits(content.cid));
    if (bits !== undefined) leaves.add(bits);
    return true;
  }

  read(content: OpenContent, into: Uint8Array, offset: number): number {
    content.used = ++this.#uses;
    if (content.file < 0 && !(content.whole && this.#openWhole(content))) return 0;
    let at = 0;
    while (at < into.length) {
      const got = readSync(content.file, into, at, into.length - at, offset + at);
      if (got === 0) break;
      at += got;
    }
    return at;
  }

  #keepFile(content: OpenContent, file: number): void {
    this.#closeFile(content);
    content.file = file;
    content.used = ++this.#uses;
    if (++this.#files <= this.#maxFiles) return;
    let oldest: OpenContent | undefined;
    for (const other of this.#byCid.values()) {
      if (other.file >= 0 && other !== content && (oldest === undefined || other.used < oldest.used))
        oldest = other;
    }
    if (oldest !== undefined) this.#closeFile(oldest);
  }

  #closeFile(content: OpenContent): void {
    if (content.file < 0) return;
    closeSync(content.file);
    content.file = -1;
    this.#files--;
  }

  closeAll(): void {
    for (const content of this.#byCid.values()) this.#closeFile(content);
    this.#byCid.clear();
    this.#byNode.clear();
  }
}

function openIfThere(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return -1;
    throw error;
  }
}

/** @returns undefined also where it cannot be read: then nothing is known to be here */
function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
