import type { WantClass } from '../block-fetcher.ts';

/** Position = code on the wire; a lower one overtakes. */
export const WANT_CLASSES: readonly WantClass[] = ['demand', 'profile', 'background'];

/** First message of both sides. */
export interface Hello {
  readonly type: 'hello';
  readonly version: number;
  /** Bits for what later versions add; none yet. */
  readonly features: number;
}

export interface Ping {
  readonly type: 'ping' | 'pong';
  readonly nonce: number;
}

/** The wanting side took what came: groups of bulk and tree may be sent while the stream's total is below `limit`. */
export interface Credit {
  readonly type: 'credit';
  /** Wire bytes since the stream began. */
  readonly limit: number;
}

/** Blocks wanted, with the ids `firstId`, `firstId + 1`, …; each is answered once, by `blocks` or by `missing`. */
export interface WantMessage {
  readonly type: 'want';
  readonly firstId: number;
  readonly wantClass: WantClass;
  /** zstd level for the answer, 0: as it is. */
  readonly level: number;
  /** One byte a block: 0x55 raw, 0x70 dag-pb. */
  readonly codecs: Uint8Array;
  /** 32 bytes a block. */
  readonly digests: Uint8Array;
}

/** Not wanted any more. What was not sent yet is answered by `missing`. */
export interface Cancel {
  readonly type: 'cancel';
  readonly ids: readonly number[];
}

/** Moves wants to a higher class; towards a lower one it says nothing. */
export interface Reclass {
  readonly type: 'reclass';
  readonly wantClass: WantClass;
  readonly ids: readonly number[];
}

/** Blocks, as one payload of all their bytes in order. */
export interface Blocks {
  readonly type: 'blocks';
  readonly ids: readonly number[];
  /** Plain bytes of each. */
  readonly lengths: readonly number[];
  /** The payload is one zstd frame. */
  readonly zstd: boolean;
  readonly payload: Uint8Array;
}

/** Not here, not shared, or cancelled before they were sent. */
export interface Missing {
  readonly type: 'missing';
  readonly ids: readonly number[];
}

export interface TreeWant {
  readonly type: 'tree';
  readonly id: number;
  readonly root: Uint8Array;
  readonly path: readonly string[];
  /** `os/arch[/variant]` or `all`. */
  readonly platform: string;
  readonly level: number;
  /** CIDs of layer roots whose indexes and recipes are not wanted. */
  readonly have: readonly Uint8Array[];
}

/** Blocks of a tree, parents before children. */
export interface TreeBlocks {
  readonly type: 'tree-blocks';
  readonly id: number;
  readonly cids: readonly Uint8Array[];
  readonly lengths: readonly number[];
  readonly zstd: boolean;
  readonly payload: Uint8Array;
}

export interface TreeEnd {
  readonly type: 'tree-end';
  readonly id: number;
}

/** The reply stops here: `cid` is not here or not shared, or the root has nothing by that path or platform. */
export interface TreeMissing {
  readonly type: 'tree-missing';
  readonly id: number;
  readonly cid: Uint8Array;
  /** Code of the fault, e.g. `no-block`, `no-such-path`, `no-such-platform`. */
  readonly code: string;
  readonly text: string;
}

export interface TreeCancel {
  readonly type: 'tree-cancel';
  readonly id: number;
}

/** What is there of this manifest root? And tell when it changes, until `unfollow`. */
export interface Follow {
  readonly type: 'follow' | 'unfollow';
  readonly root: Uint8Array;
}

export interface Have {
  readonly type: 'have';
  readonly root: Uint8Array;
  /** Bit i of byte i / 8 is plan index i. */
  readonly holding: 'all' | 'none' | Uint8Array;
}

/** Bits that were added since the last `have` or `have-delta`: start and length of each run, ascending. */
export interface HaveDelta {
  readonly type: 'have-delta';
  readonly root: Uint8Array;
  readonly runs: readonly number[];
}

/** Why the sender closes the lane. */
export interface ErrorMessage {
  readonly type: 'error';
  readonly code: string;
  readonly text: string;
}

export type Message =
  | Hello
  | Ping
  | Credit
  | WantMessage
  | Cancel
  | Reclass
  | Blocks
  | Missing
  | TreeWant
  | TreeBlocks
  | TreeEnd
  | TreeMissing
  | TreeCancel
  | Follow
  | Have
  | HaveDelta
  | ErrorMessage;

export type MessageType = Message['type'];
export type MessageOf<T extends MessageType> = Extract<Message, { readonly type: T }>;
