import { readStruct, writeStruct } from './layout.ts';
import { INIT_OUT } from './reply-layouts.ts';
import { INIT_IN, SHORT_INIT_IN } from './request-layouts.ts';

/** What the kernel offers. */
export interface InitRequest {
  readonly major: number;
  readonly minor: number;
  readonly maxReadahead: number;
  readonly flags: number;
  /** 0 before 7.36. */
  readonly flags2: number;
}

/** What we answer; what is left out is 0. */
export interface InitReply {
  readonly major: number;
  readonly minor: number;
  readonly maxReadahead?: number;
  readonly flags?: number;
  readonly flags2?: number;
  readonly maxBackground?: number;
  readonly congestionThreshold?: number;
  readonly maxWrite?: number;
  readonly timeGranularity?: number;
  readonly maxPages?: number;
  readonly maxStackDepth?: number;
}

/** @param body what follows the request's header. @throws RangeError where it is too short */
export function decodeInit(body: DataView): InitRequest {
  const layout = body.byteLength < INIT_IN.size ? SHORT_INIT_IN : INIT_IN;
  return { flags2: 0, ...readStruct(layout, body) } as unknown as InitRequest;
}

/** The reply's body: 64 bytes, as of 7.23. */
export function encodeInit(reply: InitReply, into: DataView, at: number): void {
  writeStruct(INIT_OUT, { ...reply }, into, at);
}
