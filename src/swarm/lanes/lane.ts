import { CID } from 'multiformats/cid';
import type { Clock } from '../../base/clock.ts';
import { Fault, toFault } from '../../base/fault.ts';
import type { WantClass } from '../block-fetcher.ts';
import type { ByteStream } from '../network/peer-streams.ts';
import { setRuns } from './bit-runs.ts';
import { inflateGroup, splitGroup } from './block-group.ts';
import { violation } from './fields.ts';
import type { Holding } from './holdings-book.ts';
import {
  FIRST_CREDIT,
  LANE_VERSION,
  MAX_OPEN_WANTS,
  MAX_TREE_WAITING,
  MAX_WANT_BLOCKS,
} from './lane-limits.ts';
import { MessagePort } from './message-port.ts';
import type { Blocks, Have, HaveDelta, Message, TreeBlocks, TreeMissing, TreeWant } from './messages.ts';

/** What a lane must know of a block that is asked over it. */
export interface Ask {
  /** 0x55 raw, 0x70 dag-pb. */
  readonly codec: number;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  /** Plain bytes, where they are known. */
  readonly size: number | undefined;
  /** Set by the lane. */
  id: number;
}

/** Wire bytes of credit worth a message. */
const CREDIT_STEP = 256 * 1024;

export interface LaneListener<A extends Ask> {
  /** Bytes that came for an ask, not checked against its digest; a view that the listener owns. */
  block(ask: A, bytes: Uint8Array): void;
  missing(ask: A): void;
  /** The peer announced a length that the block does not have; the lane is to be closed. */
  lie(ask: A): void;
  holding(root: string, holding: Holding): void;
  treeBlocks(id: number, cids: readonly CID[], blocks: readonly Uint8Array[]): void;
  /** @param fault why the reply is not whole */
  treeEnd(id: number, fault: Fault | undefined): void;
  /** After the messages of each chunk. @param wire bytes of it; @param plain bytes of the blocks in it */
  received(wire: number, plain: number): void;
  /** Milliseconds of a round trip over the lane. */
  roundTrip(ms: number): void;
  /** Once; asks that were not answered are answered by nobody. */
  closed(fault: Fault): void;
}

/** The wanting end of a lane to one station. */
export interface Lane<A extends Ask> {
  readonly peer: string;
  /** Wants that are not answered, cancelled ones included; the peer refuses more than `MAX_OPEN_WANTS`. */
  readonly open: number;
  want(asks: readonly A[], wantClass: WantClass, level: number): void;
  /** Whatever still comes for them is dropped. */
  cancel(asks: readonly A[]): void;
  reclass(asks: readonly A[], wantClass: WantClass): void;
  /** Answers the id of the tree want. */
  tree(want: Omit<TreeWant, 'type' | 'id'>): number;
  cancelTree(id: number): void;
  follow(root: CID): void;
  unfollow(root: CID): void;
  ping(): void;
  /** Wire bytes of bulk that may be on their way, 0: no more of it; `hold` gives no more for a while. */
  setAhead(bytes: number): void;
  hold(held: boolean): void;
  close(fault: Fault): void;
}

export function openLane<A extends Ask>(
  stream: ByteStream,
  components: { readonly clock: Clock },
  listener: LaneListener<A>,
): Lane<A> {
  return new StreamLane(stream, components.clock, listener);
}

class StreamLane<A extends Ask> implements Lane<A> {
  readonly peer: string;
  readonly #port: MessagePort;
  readonly #clock: Clock;
  readonly #listener: LaneListener<A>;
  /** `undefined`: cancelled, the answer is still owed. */
  readonly #asks = new Map<number, A | undefined>();
  readonly #trees = new Set<number>();
  /** Tree wants given up whose last message has not come. */
  readonly #deafTrees = new Set<number>();
  readonly #bitmaps = new Map<string, Uint8Array>();
  #nextId = 1;
  #nextTree = 1;
  #ahead = FIRST_CREDIT;
  #given = FIRST_CREDIT;
  #held = false;
  #pings = new Map<number, number>();
  #nextPing = 1;
  #plain = 0;
  #greeted = false;
  /** Tree groups are handed on in order, also where one must be decompressed first. */
  #treeTail: Promise<void> = Promise.resolve();
  #treeWaiting = 0;

  constructor(stream: ByteStream, clock: Clock, listener: LaneListener<A>) {
    this.peer = stream.peer;
    this.#clock = clock;
    this.#listener = listener;
    this.#port = new MessagePort(stream, 'wanter', {
      message: (message) => this.#take(message),
      received: (wire) => this.#received(wire),
      closed: (fault) => {
        this.#asks.clear();
        listener.closed(fault);
      },
    });
    this.#port.send({ type: 'hello', version: LANE_VERSION, features: 0 });
    this.ping();
    this.#port.start();
  }

  get open(): number {
    return this.#asks.size;
  }

  want(asks: readonly A[], wantClass: WantClass, level: number): void {
    if (this.#asks.size + asks.length > MAX_OPEN_WANTS) {
      throw new Fault('internal', 'lane-full', `more than ${MAX_OPEN_WANTS} wants on one lane`);
    }
    for (let at = 0; at < asks.length; at += MAX_WANT_BLOCKS) {
      const part = asks.slice(at, at + MAX_WANT_BLOCKS);
      const codecs = new Uint8Array(part.length);
      const digests = new Uint8Array(part.length * 32);
      const firstId = this.#nextId;
      for (let i = 0; i < part.length; i++) {
        const ask = part[i]!;
        codecs[i] = ask.codec;
        digests.set(ask.digest, i * 32);
        ask.id = this.#nextId++;
        this.#asks.set(ask.id, ask);
      }
      this.#port.send({ type: 'want', firstId, wantClass, level, codecs, digests });
    }
  }

  cancel(asks: readonly A[]): void {
    const ids = asks.map((ask) => ask.id).filter((id) => this.#asks.get(id) !== undefined);
    for (const id of ids) this.#asks.set(id, undefined);
    if (ids.length > 0) this.#port.send({ type: 'cancel', ids });
  }

  reclass(asks: readonly A[], wantClass: WantClass): void {
    const ids = asks.map((ask) => ask.id).filter((id) => this.#asks.get(id) !== undefined);
    if (ids.length > 0) this.#port.send({ type: 'reclass', wantClass, ids });
  }

  tree(want: Omit<TreeWant, 'type' | 'id'>): number {
    const id = this.#nextTree++;
    this.#trees.add(id);
    this.#port.send({ type: 'tree', id, ...want });
    return id;
  }

  cancelTree(id: number): void {
    if (!this.#trees.delete(id)) return;
    this.#deafTrees.add(id);
    if (this.#deafTrees.size > 1024) this.#deafTrees.delete(this.#deafTrees.values().next().value!);
    this.#port.send({ type: 'tree-cancel', id });
  }

  follow(root: CID): void {
    this.#port.send({ type: 'follow', root: root.bytes });
    this.#bitmaps.set(root.toString(), new Uint8Array(0));
  }

  unfollow(root: CID): void {
    this.#port.send({ type: 'unfollow', root: root.bytes });
    this.#bitmaps.delete(root.toString());
  }

  ping(): void {
    const nonce = this.#nextPing++;
    this.#pings.set(nonce, this.#clock.monotonic());
    if (this.#pings.size > 16) this.#pings.delete(this.#pings.keys().next().value!);
    this.#port.send({ type: 'ping', nonce });
  }

  setAhead(bytes: number): void {
    this.#ahead = bytes;
    this.#giveCredit();
  }

  hold(held: boolean): void {
    this.#held = held;
    this.#giveCredit();
  }

  close(fault: Fault): void {
    this.#port.close(fault);
  }

  #received(wire: number): void {
    const plain = this.#plain;
    this.#plain = 0;
    this.#listener.received(wire, plain);
    this.#giveCredit();
  }

  #giveCredit(): void {
    if (this.#held || this.#ahead === 0) return;
    const limit = this.#port.receivedWire + this.#ahead;
    // Not for each chunk: a message each way costs about 20 us. On a short link half of what may be ahead is enough.
    if (limit - this.#given < Math.max(this.#ahead / 4, Math.min(this.#ahead / 2, CREDIT_STEP))) return;
    this.#given = limit;
    this.#port.send({ type: 'credit', limit });
  }

  #take(message: Message): void {
    if (!this.#greeted && message.type !== 'hello') throw violation(`${message.type} before hello`);
    switch (message.type) {
      case 'hello':
        if (message.version < LANE_VERSION) throw violation(`version ${message.version}`);
        this.#greeted = true;
        return;
      case 'ping':
        this.#port.send({ type: 'pong', nonce: message.nonce });
        return;
      case 'pong': {
        const sentAt = this.#pings.get(message.nonce);
        if (sentAt === undefined) throw violation('a pong without a ping');
        this.#pings.delete(message.nonce);
        this.#listener.roundTrip(this.#clock.monotonic() - sentAt);
        return;
      }
      case 'blocks':
        this.#blocks(message);
        return;
      case 'missing':
        for (const id of message.ids) {
          const ask = this.#answered(id);
          if (ask !== undefined) this.#listener.missing(ask);
        }
        return;
      case 'tree-blocks':
        this.#treeBlocks(message);
        return;
      case 'tree-end':
        this.#treeEnd(message.id, undefined);
        return;
      case 'tree-missing':
        this.#treeEnd(message.id, treeFault(message, this.peer));
        return;
      case 'have':
        this.#have(message);
        return;
      case 'have-delta':
        this.#delta(message);
        return;
    }
  }

  /** Each id is answered once. */
  #answered(id: number): A | undefined {
    if (!this.#asks.has(id)) throw violation(`an answer to ${id}, which was not asked or is answered`);
    const ask = this.#asks.get(id);
    this.#asks.delete(id);
    return ask;
  }

  #blocks(message: Blocks): void {
    const { ids, lengths } = message;
    const asks = ids.map((id) => this.#answered(id));
    for (let i = 0; i < asks.length; i++) {
      this.#plain += lengths[i]!;
      const size = asks[i]?.size;
      if (size !== undefined && size !== lengths[i]) {
        this.#listener.lie(asks[i]!);
        return;
      }
    }
    if (!message.zstd) {
      const blocks = splitGroup(message.payload, lengths);
      this.#hand(asks, blocks);
      return;
    }
    // Cancelled altogether: not worth the decompression.
    if (asks.every((ask) => ask === undefined)) return;
    inflateGroup(message.payload, lengths).then(
      (plain) => this.#hand(asks, splitGroup(plain, lengths)),
      (thrown) => this.#port.close(toFault(thrown)),
    );
  }

  #hand(asks: readonly (A | undefined)[], blocks: readonly Uint8Array[]): void {
    for (let i = 0; i < asks.length; i++) {
      const ask = asks[i];
      if (ask === undefined) continue;
      // Closed meanwhile: the asks were given to others.
      if (this.#port.closedBy !== undefined) return;
      this.#listener.block(ask, blocks[i]!);
    }
  }

  #treeBlocks(message: TreeBlocks): void {
    const { id, lengths, zstd, payload } = message;
    if (this.#deafTrees.has(id)) return;
    if (!this.#trees.has(id)) throw violation(`blocks of the tree ${id}, which was not asked`);
    for (const length of lengths) this.#plain += length;
    const cids = message.cids.map(decodeCid);
    this.#treeWaiting += payload.length;
    if (this.#treeWaiting > MAX_TREE_WAITING) throw violation('a tree sent beyond its credit');
    // One after the other: what waits is compressed, however large it says to become.
    this.#treeTail = this.#treeTail
      .then(async () => {
        this.#treeWaiting -= payload.length;
        if (!this.#trees.has(id)) return;
        const blocks = splitGroup(zstd ? await inflateGroup(payload, lengths) : payload, lengths);
        if (this.#trees.has(id)) this.#listener.treeBlocks(id, cids, blocks);
      })
      .catch((thrown) => this.#port.close(toFault(thrown)));
  }

  #treeEnd(id: number, fault: Fault | undefined): void {
    if (this.#deafTrees.delete(id)) return;
    if (!this.#trees.has(id)) throw violation(`the end of the tree ${id}, which was not asked`);
    this.#treeTail = this.#treeTail.then(() => {
      if (this.#trees.delete(id)) this.#listener.treeEnd(id, fault);
    });
  }

  #have(message: Have): void {
    const root = decodeCid(message.root).toString();
    // What comes after an unfollow was on its way.
    if (!this.#bitmaps.has(root)) return;
    const { holding } = message;
    const kept = typeof holding === 'string' ? holding : holding.slice();
    this.#bitmaps.set(root, typeof kept === 'string' ? new Uint8Array(0) : kept);
    this.#listener.holding(root, kept);
  }

  #delta(message: HaveDelta): void {
    const root = decodeCid(message.root).toString();
    const bitmap = this.#bitmaps.get(root);
    if (bitmap === undefined) return;
    if (bitmap.length === 0) throw violation('a delta without a bitmap before it');
    setRuns(bitmap, message.runs);
    this.#listener.holding(root, bitmap);
  }
}

function decodeCid(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes);
  } catch {
    throw violation('a CID that is none');
  }
}

function treeFault(message: TreeMissing, peer: string): Fault {
  const block = decodeCid(message.cid).toString();
  const fields = { block, peer };
  if (message.code === 'no-such-path' || message.code === 'no-such-platform') {
    return new Fault('not-found', message.code, message.text, { fields });
  }
  return new Fault('unavailable', 'no-block', `peer ${peer} does not have block ${block}`, { fields });
}
