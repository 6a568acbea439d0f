import type { Logger } from '../observe/logger.ts';
import { ERRNO } from '../syscalls/errno.ts';
import type { FuseChannel } from './channel.ts';
import { type FuseFilesystem, PENDING, type Status } from './filesystem.ts';
import { negotiate } from './negotiate.ts';
import { createReplies } from './replies/replies.ts';
import { Request } from './request.ts';
import { HANDLERS, type Handler, NO_REPLY, type Serving } from './serving.ts';
import type { SessionTerms } from './session-terms.ts';
import { decodeInit, encodeInit } from './wire/init.ts';
import { type Answer, OPCODE_LIMIT, OPERATIONS, type ServedName } from './wire/operations.ts';
import { INIT_OUT } from './wire/reply-layouts.ts';
import { IN_HEADER } from './wire/request-layouts.ts';

export interface FuseSessionComponents {
  readonly channel: FuseChannel;
  readonly filesystem: FuseFilesystem;
  readonly logger: Logger;
  /** Of a connection that an earlier server negotiated: INIT does not come again. */
  readonly terms?: SessionTerms;
  /**
   * Called when a request has come, before it is served: what another thread wants done is done here. So once that
   * thread's own request on the mount (a statfs) is answered, its messages were taken. Keep it a look at a counter.
   */
  readonly poll: () => void;
  /** INIT was understood: keep the terms. Called before the kernel gets the answer. */
  readonly agreed: (terms: SessionTerms) => void;
  /** Requests by opcode, unknown ones in 0; may lie in shared memory. {@link OPCODE_LIMIT} long. */
  readonly counters?: Uint32Array;
}

export interface FuseSessionSettings {
  /** Offer the kernel to read backing files itself. */
  readonly passthrough: boolean;
}

/** `ended`: unmounted or aborted. `stopped`: by {@link FuseSession.stop}; the connection lives on. */
export type SessionEnd = 'ended' | 'stopped';

export interface FuseSession {
  /** Serves until the end; blocks the thread. @throws what reading the device fails with else */
  serve(): SessionEnd;
  /** From `poll` or a filesystem method: serve the request at hand, then return and read no other one. */
  stop(): void;
  /** What was agreed on, once it was. */
  readonly terms: SessionTerms | undefined;
}

/** The server's side of one FUSE connection: requests in, one call each, replies out, on one thread. */
export function createFuseSession(
  components: FuseSessionComponents,
  settings: FuseSessionSettings,
): FuseSession {
  return new Session(components, settings);
}

const { EINVAL, EIO, ENOSYS, EPROTO } = ERRNO;
/** The kernel takes errors of 1 to 511. */
const ERROR_LIMIT = 512;
/** A reply without a body would be malformed. */
const MAY_BE_EMPTY: ReadonlySet<Answer> = new Set(['nothing', 'empty', 'bytes', 'directory']);

/** A row of the table, ready for the loop. */
interface Serve {
  readonly name: string;
  /** Bytes that a whole request has at least. */
  readonly least: number;
  readonly refuse: number;
  readonly handler: Handler | undefined;
  readonly needsBody: boolean;
  readonly silent: boolean;
}

const SERVE: readonly (Serve | undefined)[] = Array.from({ length: OPCODE_LIMIT }, (_, opcode) => {
  const row = OPERATIONS.find((each) => each.opcode === opcode);
  if (row === undefined) return undefined;
  return {
    name: row.name,
    least: IN_HEADER.size + row.body.size + row.names,
    refuse: row.refuse ?? 0,
    handler: row.refuse === undefined ? HANDLERS[row.name as ServedName] : undefined,
    needsBody: !MAY_BE_EMPTY.has(row.answer),
    silent: row.answer === 'nothing',
  };
});

class Session implements FuseSession, Serving {
  readonly request = new Request();
  readonly replies = createReplies();
  readonly filesystem: FuseFilesystem;
  terms: SessionTerms | undefined;
  readonly #components: FuseSessionComponents;
  readonly #settings: FuseSessionSettings;
  readonly #counters: Uint32Array;
  #end: SessionEnd | undefined;

  constructor(components: FuseSessionComponents, settings: FuseSessionSettings) {
    this.#components = components;
    this.#settings = settings;
    this.filesystem = components.filesystem;
    this.terms = components.terms;
    this.#counters = components.counters ?? new Uint32Array(OPCODE_LIMIT);
  }

  serve(): SessionEnd {
    const { channel, poll } = this.#components;
    this.#end = undefined;
    while (this.#end === undefined) {
      const length = channel.read(this.request.buffer);
      if (length < 0) return 'ended';
      if (length === 0) continue;
      poll();
      if (this.request.take(length)) this.#answer();
      else this.#components.logger.warn({ length }, 'a FUSE request that is not whole was dropped');
    }
    return this.#end;
  }

  stop(): void {
    this.#end ??= 'stopped';
  }

  readonly noOpendir = (): boolean => this.terms?.noOpendir === true;

  readonly destroy = (): void => {
    this.#end = 'ended';
  };

  readonly init = (): Status => {
    const { request, replies } = this;
    const body = new DataView(request.buffer.buffer, IN_HEADER.size, request.length - IN_HEADER.size);
    const offer = decodeInit(body);
    const outcome = negotiate(offer, this.#settings);
    if (outcome.kind === 'too-old') {
      this.#components.logger.error({ ...offer }, 'the kernel speaks a FUSE protocol older than 7.31');
      return EPROTO;
    }
    if (outcome.kind === 'agreed') {
      this.terms = outcome.terms;
      this.#components.agreed(outcome.terms);
    }
    encodeInit(outcome.reply, replies.frame.view, replies.frame.from);
    replies.frame.size = INIT_OUT.size;
    return 0;
  };

  #answer(): void {
    const { request, replies } = this;
    const { channel, logger } = this.#components;
    const row = request.opcode < OPCODE_LIMIT ? SERVE[request.opcode] : undefined;
    this.#counters[row === undefined ? 0 : request.opcode]!++;
    replies.frame.size = 0;
    let status = this.#status(row);
    if (status === 0 && row!.needsBody && replies.frame.size === 0) {
      logger.error({ operation: row!.name, node: request.node }, 'a FUSE request got no answer');
      status = EIO;
    }
    if (status === PENDING || status === NO_REPLY || row?.silent === true) return;
    try {
      if (status === 0) replies.frame.send(channel, request.high, request.low);
      else {
        const errno = status > 0 && status < ERROR_LIMIT ? status : EIO;
        replies.frame.refuse(channel, request.high, request.low, errno);
      }
    } catch (error) {
      logger.error({ operation: row?.name, node: request.node, err: error }, 'a FUSE reply was not taken');
    }
  }

  #status(row: Serve | undefined): Status {
    if (row === undefined) return ENOSYS;
    if (row.handler === undefined) return row.refuse;
    if (this.request.length < row.least || this.request.node > Number.MAX_SAFE_INTEGER) return EINVAL;
    try {
      return row.handler(this);
    } catch (error) {
      this.#components.logger.error(
        { operation: row.name, node: this.request.node, err: error },
        'the filesystem failed at a FUSE request',
      );
      return EIO;
    }
  }
}
