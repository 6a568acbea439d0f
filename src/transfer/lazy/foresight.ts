import { CHUNK_SIZE, rawCid } from '../../image/dag/file-dag.ts';
import { unescapeBytes } from '../../image/layer/byte-text.ts';
import { mergeLayers } from '../../image/layer/merged-tree.ts';
import type { ImageCommand } from '../../image/oci/image-command.ts';
import type { Store } from '../../store/store.ts';
import type { WantedLeaves } from './lazy-images.ts';
import type { LazySession } from './lazy-session.ts';
import { namedFiles } from './named-files.ts';
import type { SessionHolder } from './session-holder.ts';
import { createTreeFiles, type TreeFile, type TreeFiles } from './tree-files.ts';

/**
 * Asks for what the first start of an image, of which no profile is known yet, will read next: a read that waits costs a
 * round trip, and a start without foresight is a row of some hundred. Known are the image's command, and what each
 * content names: libraries, modules, interpreters. A wrong guess costs bytes, no right one is ever waited for twice.
 */
export interface Foresight {
  /** The command that the image is made for, if it may be run. */
  begin(command: ImageCommand): void;
  /** A read waits for these leaves. @param come resolves when they are here */
  read(leaves: WantedLeaves, come: Promise<unknown>): void;
  /** Nothing more is guessed; what was asked for comes. */
  stop(): void;
}

export interface ForesightComponents {
  readonly store: Store;
  readonly holder: SessionHolder;
  readonly signal: AbortSignal;
}

/**
 * Files up to this come whole; of larger ones the beginning, which tells what else they need. A program that is linked
 * touches most of itself before it does anything: 17 of 19 leaves of libcrypto for its relocations.
 */
const WHOLE = 8 * 1024 * 1024;
/**
 * Leaves of a larger program or library that come with one of them, when a read waits for that: node touches 110 of 180
 * of libnode, in no order, nearly all of two stretches.
 */
const STRETCH = 8;
/** Of what is guessed, beyond as much again as reads waited for. Plain bytes. */
const FREE_BYTES = 64 * 1024 * 1024;
/** What glibc reads for nearly every program. */
const LOADER_FILES = ['/etc/ld.so.cache', '/etc/localtime', '/usr/lib/locale/C.utf8/LC_CTYPE'];
const LIBRARY_FILES = ['gconv/gconv-modules.cache'];

export function createForesight(components: ForesightComponents): Foresight {
  return new NamedForesight(components);
}

class NamedForesight implements Foresight {
  readonly #store: Store;
  readonly #holder: SessionHolder;
  readonly #signal: AbortSignal;
  #stopped = false;
  readonly #asked = new Set<string>();
  readonly #looked = new Set<string>();
  /** Programs and libraries. */
  readonly #linked = new Set<string>();
  #files: TreeFiles | undefined;
  #left = FREE_BYTES;

  constructor({ store, holder, signal }: ForesightComponents) {
    this.#store = store;
    this.#holder = holder;
    this.#signal = signal;
  }

  stop(): void {
    this.#stopped = true;
    this.#files = undefined;
  }

  begin({ argv: [program], path }: ImageCommand): void {
    if (program === undefined) return;
    void this.#use(async (session, files) => {
      const found = files.program(program, path);
      if (found === undefined) return;
      const usual = [...LIBRARY_FILES.map(files.library), ...LOADER_FILES.map(files.file)];
      await this.#bring(session, files, [found, ...usual], true);
    });
  }

  read({ layer, object, first, end, path }: WantedLeaves, come: Promise<unknown>): void {
    this.#left += (end - first) * CHUNK_SIZE;
    if (first > 0) {
      void this.#use((session) => this.#around(session, { layer, object }, first));
      return;
    }
    const bytes = unescapeBytes(path);
    const text = bytes === undefined ? '' : Buffer.from(bytes).toString();
    void this.#use(async (session, files) => {
      const size = session.layers[layer]?.layer.index.objectSize(object) ?? 0;
      const file = { layer, object, size, path: text };
      const folder = text.slice(0, text.lastIndexOf('/'));
      const beside = this.#once(folder) ? files.smallFolder(folder) : [];
      await Promise.all([
        this.#bring(session, files, beside, false),
        come.then(() =>
          this.#once(`${keyOf(file)} followed`) ? this.#follow(session, files, [file]) : undefined,
        ),
      ]);
    });
  }

  async #use(work: (session: LazySession, files: TreeFiles) => Promise<void>): Promise<void> {
    if (this.#stopped) return;
    try {
      await this.#holder.use((session) => {
        this.#files ??= createTreeFiles(mergeLayers(session.layers.map(({ layer }) => layer.index)));
        return work(session, this.#files);
      });
    } catch {
      // Who needs it asks for it, and then hears why.
    }
  }

  /** Fetches what was not guessed before. @param follow then what that names, and so on */
  async #bring(
    session: LazySession,
    files: TreeFiles,
    guesses: readonly (TreeFile | undefined)[],
    follow: boolean,
  ): Promise<void> {
    const named = guesses.filter((file) => file !== undefined);
    const fresh = named.filter((file) => this.#affords(file));
    // One that came with its folder is followed when it is named.
    const followed = follow ? named.filter((file) => this.#once(`${keyOf(file)} followed`)) : [];
    const leaves = (file: TreeFile, first: number, end: number): number[] =>
      session.targets.leavesOf(file.layer, file.object, first, end);
    const heads = new Set([...followed, ...fresh].flatMap((file) => leaves(file, 0, 1)));
    const rest = fresh.flatMap((file) => leaves(file, 1, endOf(file)));
    const all = [...heads, ...rest];
    await session.targets.lookUp(all);
    // The beginnings first: what they name is asked for while the rest comes.
    await Promise.all([
      this.#fetch(session, [...heads]).then(() => this.#follow(session, files, followed)),
      this.#fetch(session, rest),
    ]);
  }

  async #around(session: LazySession, file: Pick<TreeFile, 'layer' | 'object'>, leaf: number): Promise<void> {
    const size = session.layers[file.layer]?.layer.index.objectSize(file.object) ?? 0;
    if (size <= WHOLE || !this.#linked.has(keyOf(file))) return;
    const first = leaf - (leaf % STRETCH);
    if (!this.#once(`${keyOf(file)} ${first}`) || this.#left < STRETCH * CHUNK_SIZE) return;
    const end = Math.min(first + STRETCH, Math.ceil(size / CHUNK_SIZE));
    this.#left -= (end - first) * CHUNK_SIZE;
    const indexes = session.targets.leavesOf(file.layer, file.object, first, end);
    await session.targets.lookUp(indexes);
    await this.#fetch(session, indexes);
  }

  #affords(file: TreeFile): boolean {
    const bytes = Math.min(file.size, endOf(file) * CHUNK_SIZE);
    if (this.#stopped || bytes > this.#left || this.#asked.has(keyOf(file))) return false;
    this.#asked.add(keyOf(file));
    this.#left -= bytes;
    return true;
  }

  async #fetch(session: LazySession, indexes: readonly number[]): Promise<void> {
    const missing = indexes.filter((index) => !session.targets.has(index));
    if (missing.length > 0) await session.fetch(missing, { wantClass: 'profile', signal: this.#signal });
  }

  /** The beginnings of the files are here: what is linked comes whole, and what they name. */
  async #follow(session: LazySession, files: TreeFiles, come: readonly TreeFile[]): Promise<void> {
    const found: (TreeFile | undefined)[] = [];
    for (const file of come) {
      if (this.#stopped) return;
      const head = await this.#head(session, file);
      if (head === undefined) continue;
      const { linked, libraries, programs, modules } = namedFiles(head);
      if (linked) this.#linked.add(keyOf(file));
      found.push(
        ...(linked ? [file] : []),
        ...libraries.map((name) => files.library(name)),
        ...programs.map((path) => files.file(path)),
        ...modules.flatMap((name) => files.module(file.path, name)),
      );
    }
    if (found.length > 0) await this.#bring(session, files, found, true);
  }

  async #head({ layers }: LazySession, { layer, object }: TreeFile): Promise<Uint8Array | undefined> {
    const index = layers[layer]?.layer.index;
    if (index === undefined) return undefined;
    const digest = index.objectLeaves(object)?.subarray(0, 32) ?? index.objectDigest(object);
    return this.#store.blocks.get(rawCid(digest.slice()));
  }

  #once(what: string): boolean {
    if (this.#looked.has(what)) return false;
    this.#looked.add(what);
    return true;
  }
}

/** How many of its leaves are guessed. */
function endOf({ size }: TreeFile): number {
  return size <= WHOLE ? Math.max(1, Math.ceil(size / CHUNK_SIZE)) : 1;
}

function keyOf({ layer, object }: Pick<TreeFile, 'layer' | 'object'>): string {
  return `${layer}:${object}`;
}
