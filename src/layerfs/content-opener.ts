import type { BytesReply, OpenReply, RequestId, Status } from '../fuse/filesystem.ts';
import { PENDING } from '../fuse/filesystem.ts';
import { CHUNK_SIZE, leafCount } from '../image/dag/file-dag.ts';
import { escapeBytes } from '../image/layer/byte-text.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';
import type { Logger } from '../observe/logger.ts';
import { ERRNO } from '../syscalls/errno.ts';
import type { BackingFiles } from './backing-files.ts';
import type { Chain } from './chain.ts';
import type { Content, ContentFiles } from './content-files.ts';
import type { MissingContent } from './missing-content.ts';
import { createObjectNamer } from './object-name.ts';
import { isReadHandle, type OpenTable } from './open-table.ts';
import { newReadPattern, noteRead, type ReadPattern } from './read-pattern.ts';
import type { TouchRecorder } from './touch-recorder.ts';

/** A regular file as an open or a read finds it. */
export interface FileAt {
  readonly node: number;
  readonly chain: Chain;
  readonly index: LayerIndex;
  readonly layer: number;
  readonly entry: number;
}

/**
 * Opens and reads regular files.
 *
 * | the object is | opened |
 * |---|---|
 * | empty | without content |
 * | in `cas/`, no READ open of the node left | in passthrough; its node keeps the id |
 * | in `cas/` otherwise, or large and not (wholly) here | in READ mode; leaves that are not here are PENDING wants |
 * | small and not here | PENDING, wanted whole, then in READ mode |
 *
 * While a chain is recorded its large objects are opened in READ mode though they are complete, so that the ranges used
 * are seen; a node that has a passthrough id already keeps to it.
 *
 * Small files are no exception. 27,000 of 7 bytes each, opened, read and closed: the thread takes 39 us of processor time
 * for one that is opened for the first time and 14 us for the next time, in READ mode 41 and 25 us.
 */
export interface ContentOpener {
  open(at: FileAt, request: RequestId, out: OpenReply): Status;
  read(at: FileAt, handle: number, offset: number, size: number, request: RequestId, out: BytesReply): Status;
  release(node: number, handle: number): void;
  forget(node: number): void;
  /** Closes what the kernel has of a chain's nodes. */
  forgetChain(chain: Chain, endNode: number): void;
}

export interface ContentOpenerComponents {
  readonly opens: OpenTable;
  readonly backing: BackingFiles;
  readonly files: ContentFiles;
  readonly touches: TouchRecorder;
  readonly missing: (missing: MissingContent) => void;
  readonly logger: Logger;
}

export interface ContentOpenerSettings {
  /** Bytes. */
  readonly wholeAtOpen: number;
}

/** The handle of an empty file: nothing is to be released. */
const NO_CONTENT = 0;
const NO_BYTES = new Uint8Array(0);
/** Readers whose order is remembered; each about 100 bytes. */
const MAX_PATTERNS = 4096;

export function createContentOpener(
  components: ContentOpenerComponents,
  settings: ContentOpenerSettings,
): ContentOpener {
  return new StoreContent(components, settings);
}

class StoreContent implements ContentOpener {
  readonly #opens: OpenTable;
  readonly #backing: BackingFiles;
  readonly #files: ContentFiles;
  readonly #touches: TouchRecorder;
  readonly #missing: (missing: MissingContent) => void;
  readonly #logger: Logger;
  readonly #wholeAtOpen: number;
  readonly #nameOf = createObjectNamer();
  readonly #patterns = new Map<number, ReadPattern>();
  #passthroughHandle = 2;

  constructor(components: ContentOpenerComponents, settings: ContentOpenerSettings) {
    this.#opens = components.opens;
    this.#backing = components.backing;
    this.#files = components.files;
    this.#touches = components.touches;
    this.#missing = components.missing;
    this.#logger = components.logger;
    this.#wholeAtOpen = settings.wholeAtOpen;
  }

  open(at: FileAt, request: RequestId, out: OpenReply): Status {
    const { node, chain, index } = at;
    if (chain.quarantined) return ERRNO.EIO;
    const object = index.object(at.entry);
    const size = index.objectSize(object);
    if (size === 0) {
      out.handle(NO_CONTENT);
      return 0;
    }
    const large = size > this.#wholeAtOpen;
    const id = this.#passthroughId(at, object, large);
    if (id > 0) {
      chain.passthroughOpens++;
      if (chain.recording) this.#touchWhole(at, object, size);
      this.#passthroughHandle += 2;
      out.passthrough(this.#passthroughHandle, id);
      return 0;
    }
    const content = this.#files.open(node, size, () => this.#nameOf(index, object));
    const leaves = leafCount(size);
    let here = large;
    try {
      here ||= this.#files.has(content, 0, leaves);
    } catch (error) {
      this.#files.close(node);
      throw error;
    }
    chain.readOpens++;
    const handle = this.#opens.countRead(node);
    if (chain.recording && !large) this.#touchWhole(at, object, size);
    if (here) {
      out.handle(handle);
      return 0;
    }
    this.#want(at, content, request, 0, leaves, { kind: 'open', handle });
    return PENDING;
  }

  /** The id with which the node must or may be opened; 0: in READ mode. */
  #passthroughId(at: FileAt, object: number, large: boolean): number {
    const { node, chain, index } = at;
    if (this.#opens.reads(node) > 0) return 0;
    const known = this.#opens.backingId(node);
    if (known > 0) return known;
    if (!this.#backing.on || (chain.recording && large)) return 0;
    const id = this.#backing.open(this.#nameOf(index, object));
    if (id === 0 || this.#opens.keepBackingId(node, id)) return id;
    this.#backing.close(id);
    this.#backing.turnOff(this.#opens.closedWhy ?? 'the open files cannot be kept in mind');
    return 0;
  }

  #touchWhole(at: FileAt, object: number, size: number): void {
    const leaves = leafCount(size);
    this.#touches.touch(at.chain.key, at.layer, object, 0, leaves, leaves);
  }

  read(
    at: FileAt,
    handle: number,
    offset: number,
    size: number,
    request: RequestId,
    out: BytesReply,
  ): Status {
    const { node, chain, index } = at;
    if (chain.quarantined) return ERRNO.EIO;
    const object = index.object(at.entry);
    const total = index.objectSize(object);
    const length = Math.min(size, total - offset);
    if (length <= 0) {
      out.bytes(NO_BYTES);
      return 0;
    }
    // Not open: by an earlier process. Closed with its handle as one of ours.
    const content = this.#files.get(node) ?? this.#files.open(node, total, () => this.#nameOf(index, object));
    const first = Math.floor(offset / CHUNK_SIZE);
    const end = Math.floor((offset + length - 1) / CHUNK_SIZE) + 1;
    const large = total > this.#wholeAtOpen;
    if (large && chain.recording) {
      this.#touches.touch(chain.key, at.layer, object, first, end, leafCount(total));
    }
    const here = this.#files.has(content, first, end);
    // Wanted first: what is read now must not wait behind what may be read later.
    if (!here) this.#want(at, content, request, first, end, { kind: 'read', offset, length });
    if (large && content.leaves?.whole === false && !chain.complete)
      this.#wantAhead(at, content, handle, first, end, request);
    return here ? this.#give(at, content, offset, length, out) : PENDING;
  }

  #give(at: FileAt, content: Content, offset: number, length: number, out: BytesReply): Status {
    const got = this.#files.read(content, out.space(length), offset);
    if (got === length) {
      out.filled(length);
      return 0;
    }
    const { cid } = content;
    const path = pathText(at);
    this.#logger.error(
      { chain: at.chain.key, cid, path, offset, length, got },
      `${path} cannot be read: the file of ${cid} is shorter than its object`,
    );
    return ERRNO.EIO;
  }

  #wantAhead(
    at: FileAt,
    content: Content,
    handle: number,
    first: number,
    end: number,
    request: RequestId,
  ): void {
    let pattern = this.#patterns.get(handle);
    if (pattern === undefined) {
      if (this.#patterns.size >= MAX_PATTERNS) this.#patterns.clear();
      pattern = newReadPattern();
      this.#patterns.set(handle, pattern);
    }
    const { leaves } = content;
    if (leaves === undefined || !noteRead(pattern, first, end, leafCount(content.size))) return;
    let from = pattern.from;
    let to = pattern.wanted;
    while (from < to && leaves.has(from, from + 1)) from++;
    while (to > from && leaves.has(to - 1, to)) to--;
    if (from < to) this.#want(at, content, request, from, to, { kind: 'ahead' });
  }

  #want(
    at: FileAt,
    content: Content,
    request: RequestId,
    first: number,
    end: number,
    answer: MissingContent['answer'],
  ): void {
    const { cid, size, leaves } = content;
    this.#missing({
      // The session's own object: the next request changes it.
      request: { high: request.high, low: request.low },
      node: at.node,
      chain: at.chain.key,
      layer: at.layer,
      object: at.index.object(at.entry),
      cid,
      size,
      first,
      end,
      answer,
      path: pathText(at),
      ...(leaves !== undefined && { leaves: leaves.buffer }),
    });
  }

  release(node: number, handle: number): void {
    if (!isReadHandle(handle)) return;
    this.#patterns.delete(handle);
    this.#files.close(node);
    this.#opens.uncountRead(node, handle);
  }

  forget(node: number): void {
    this.#opens.forgetNode(node);
    if (this.#opens.reads(node) === 0) this.#files.drop(node);
  }

  forgetChain(chain: Chain, endNode: number): void {
    for (const id of this.#opens.forgetNodes(chain.base, endNode)) this.#backing.close(id);
    this.#touches.end(chain.key);
  }
}

/** For people. */
function pathText({ index, entry }: FileAt): string {
  return `/${escapeBytes(index.path(entry))}`;
}
