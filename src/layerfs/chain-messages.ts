import type { RequestId } from '../fuse/filesystem.ts';
import type { MissingContent } from './missing-content.ts';

/** A chain as the FUSE thread knows it; what `run/chains.json` keeps. */
export interface ChainRecord {
  /**
   * 1 to 2^21 - 1. Its nodes are made of it, and the kernel remembers names and nodes for a day: as long as the FUSE
   * connection lives a key keeps its number, also when it was forgotten and comes again, and no other key gets it.
   */
  readonly number: number;
  /** Name below `t/`; no slash, at most 255 bytes. */
  readonly key: string;
  /** Bottom first: CIDs of layer indexes, each a complete file below `cas/`. */
  readonly indexes: readonly string[];
  readonly complete: boolean;
  readonly recording: boolean;
}

/** What the main thread tells the FUSE thread, which hears it before the next request: so wake it by one. */
export type LayerfsCommand =
  /** Known already: only `complete` and `recording` are taken over. */
  | { readonly do: 'add'; readonly chain: ChainRecord }
  /** Its nodes are ESTALE from now on, its passthrough ids are closed. */
  | { readonly do: 'forget'; readonly key: string }
  | { readonly do: 'complete'; readonly key: string; readonly complete: boolean }
  | { readonly do: 'recording'; readonly key: string; readonly recording: boolean }
  /** Opens and reads that come to the FUSE thread are EIO from now on: the image is not what was claimed. */
  | { readonly do: 'quarantine'; readonly key: string; readonly quarantined: boolean }
  /** An open that was PENDING was not handed over: it is no READ open. */
  | { readonly do: 'uncount'; readonly node: number; readonly handle: number }
  /** Tell what is counted and was touched so far, then `reported` with the same number: all commands before were taken. */
  | { readonly do: 'report'; readonly number: number };

/** What the FUSE thread tells the main thread. */
export type LayerfsEvent =
  | { readonly tell: 'missing'; readonly missing: MissingContent }
  /** The reader of a PENDING request was interrupted. */
  | { readonly tell: 'interrupt'; readonly request: RequestId }
  /** First uses, in order: `[layer, object, first leaf, end leaf]`. */
  | { readonly tell: 'touched'; readonly key: string; readonly ranges: readonly TouchedRange[] }
  /** Opens of a chain since it was added; told with a report. */
  | { readonly tell: 'opens'; readonly key: string; readonly passthrough: number; readonly read: number }
  | { readonly tell: 'reported'; readonly number: number }
  /** Passthrough does not work here, for ever: why, in plain words. */
  | { readonly tell: 'no-passthrough'; readonly why: string };

export type TouchedRange = readonly [layer: number, object: number, first: number, end: number];

/** One end of the two threads' connection: a MessagePort, read without an event loop (`receiveMessageOnPort`). */
export interface Mailbox<Out, In> {
  post(message: Out): void;
  /** The next message, `undefined` when there is none now. */
  receive(): In | undefined;
}
