import type { CID } from 'multiformats/cid';
import { type Fault, toFault } from '../../base/fault.ts';
import { DAG_PB_CODEC, dagPbCid, rawCid } from '../../image/dag/file-dag.ts';
import type { BlockStore } from '../../store/block-store.ts';
import type { ByteStream } from '../network/peer-streams.ts';
import { GroupPacker } from './block-group.ts';
import { violation } from './fields.ts';
import type { HoldingsBook } from './holdings-book.ts';
import { HoldingsFeed } from './holdings-feed.ts';
import {
  BULK_GROUP_BYTES,
  FIRST_CREDIT,
  LANE_VERSION,
  MAX_GROUP_BLOCKS,
  MAX_GROUP_BYTES,
  MAX_OPEN_TREES,
  MAX_OPEN_WANTS,
  PLAIN_GROUP_BYTES,
} from './lane-limits.ts';
import type { TrafficBook } from './lane-traffic.ts';
import { MessagePort } from './message-port.ts';
import { type Blocks, type Message, WANT_CLASSES, type WantMessage } from './messages.ts';
import { TreeReply } from './tree-reply.ts';
import type { Sender, UploadTurns } from './upload-turns.ts';
import { Wake } from './wake.ts';
import { type OpenWant, WantQueue } from './want-queue.ts';

export interface ServingComponents {
  readonly blocks: BlockStore;
  readonly holdings: HoldingsBook;
  readonly traffic: TrafficBook;
  readonly turns: UploadTurns;
  closed(fault: Fault): void;
}

/** Bulk groups read and compressed ahead of the stream: one is sent, one is ready, one is in the making. */
const MAX_PREPARED = 2;
/** Blocks up to this are read without a promise. */
const SYNC_BYTES = 64 * 1024;

interface Prepared {
  readonly message: Blocks;
  /** Its payload. */
  readonly pieces: readonly Uint8Array[];
  readonly plain: number;
}

const DEMAND = 0;
const NOTHING = new Uint8Array(0);

/**
 * The serving end of one lane. What is sent next is decided when the stream takes it: demand first, then a tree, then
 * groups of bulk, the last two only within the credit that the wanting side gave, so that little of them stands in
 * buffers on the way and a demand block overtakes.
 */
export class Serving implements Sender {
  readonly #components: ServingComponents;
  readonly #port: MessagePort;
  readonly #queue = new WantQueue();
  readonly #trees = new Map<number, TreeReply>();
  readonly #feed: HoldingsFeed;
  readonly #packer = new GroupPacker();
  readonly #prepared: Prepared[] = [];
  readonly #sendWake = new Wake();
  readonly #prepareWake = new Wake();
  #credit = FIRST_CREDIT;
  #greeted = false;
  #nextId = 0;
  /** Wants taken from the queue whose answer is not handed to the port yet. */
  #inWork = 0;

  constructor(stream: ByteStream, components: ServingComponents) {
    this.#components = components;
    this.#port = new MessagePort(stream, 'server', {
      message: (message) => this.#take(message),
      received: (wire) => components.traffic.addReceived(stream.peer, 0, wire),
      closed: (fault) => this.#closed(fault),
    });
    this.#feed = new HoldingsFeed(components.holdings, (message) => this.#port.send(message));
  }

  start(): void {
    this.#port.send({ type: 'hello', version: LANE_VERSION, features: 0 });
    this.#port.start();
    void this.#guard(this.#sendLoop());
    void this.#guard(this.#prepareLoop());
  }

  close(fault: Fault): void {
    this.#port.close(fault);
  }

  rank(): number {
    if (this.#queue.waiting(DEMAND) > 0) return 0;
    if (this.#treeWaits()) return 1;
    return this.#queue.waiting(1) > 0 ? 2 : 3;
  }

  get #open(): boolean {
    return this.#port.closedBy === undefined;
  }

  #closed(fault: Fault): void {
    for (const tree of this.#trees.values()) tree.cancel();
    this.#feed.stop();
    this.#components.turns.leave(this);
    this.#sendWake.wake();
    this.#prepareWake.wake();
    this.#components.closed(fault);
  }

  async #guard(loop: Promise<void>): Promise<void> {
    try {
      await loop;
    } catch (thrown) {
      this.#port.close(toFault(thrown));
    }
  }

  #take(message: Message): void {
    if (!this.#greeted && message.type !== 'hello') throw violation(`${message.type} before hello`);
    switch (message.type) {
      case 'hello':
        this.#greeted = true;
        return;
      case 'ping':
        this.#port.send({ type: 'pong', nonce: message.nonce });
        return;
      case 'credit':
        this.#credit = Math.max(this.#credit, message.limit);
        this.#sendWake.wake();
        return;
      case 'want':
        this.#want(message);
        return;
      case 'cancel':
        this.#cancel(message.ids);
        return;
      case 'reclass':
        for (const id of message.ids) this.#queue.reclass(id, WANT_CLASSES.indexOf(message.wantClass));
        this.#sendWake.wake();
        return;
      case 'tree': {
        if (this.#trees.size >= MAX_OPEN_TREES || this.#trees.has(message.id)) {
          throw violation('too many tree wants at once');
        }
        const reply = new TreeReply(message, this.#components.blocks, () => this.#sendWake.wake());
        this.#trees.set(message.id, reply);
        reply.start();
        return;
      }
      case 'tree-cancel':
        this.#trees.get(message.id)?.cancel();
        this.#trees.delete(message.id);
        return;
      case 'follow':
        this.#feed.follow(message.root);
        return;
      case 'unfollow':
        this.#feed.unfollow(message.root);
        return;
    }
  }

  #want(message: WantMessage): void {
    const { firstId, level, codecs, digests } = message;
    if (firstId < this.#nextId) throw violation(`the id ${firstId} again`);
    if (this.#queue.size + this.#inWork + codecs.length > MAX_OPEN_WANTS) {
      throw violation(`more than ${MAX_OPEN_WANTS} wants at once`);
    }
    this.#nextId = firstId + codecs.length;
    const rank = WANT_CLASSES.indexOf(message.wantClass);
    // The frame may be a view into a chunk of the carrier that is much larger than what waits here.
    const kept = digests.slice();
    for (let i = 0; i < codecs.length; i++) {
      this.#queue.add({
        id: firstId + i,
        codec: codecs[i]!,
        digest: kept.subarray(i * 32, i * 32 + 32),
        level,
        rank,
      });
    }
    (rank === DEMAND ? this.#sendWake : this.#prepareWake).wake();
  }

  #cancel(ids: readonly number[]): void {
    const dropped = ids.filter((id) => this.#queue.cancel(id));
    if (dropped.length > 0) this.#port.send({ type: 'missing', ids: dropped });
  }

  #treeWaits(): boolean {
    for (const tree of this.#trees.values()) if (tree.waiting) return true;
    return false;
  }

  #ready(): boolean {
    if (this.#queue.waiting(DEMAND) > 0) return true;
    if (this.#port.sentWire >= this.#credit) return false;
    return this.#prepared.length > 0 || this.#treeWaits();
  }

  async #sendLoop(): Promise<void> {
    while (this.#open) {
      if (!this.#ready()) {
        await this.#sendWake.sleep();
        continue;
      }
      const turn = this.#components.turns.next(this);
      if (turn !== undefined) await turn;
      const before = this.#port.sentWire;
      const plain = await this.#sendOne();
      await this.#port.flushed();
      const wire = this.#port.sentWire - before;
      this.#components.turns.sent(this, wire);
      this.#components.traffic.addSent(this.#port.peer, plain, wire);
    }
  }

  /** Answers the plain bytes sent. */
  async #sendOne(): Promise<number> {
    if (this.#queue.waiting(DEMAND) > 0) {
      const group = await this.#prepare(DEMAND);
      if (group === undefined) return 0;
      this.#port.send(group.message, group.pieces);
      return group.plain;
    }
    if (this.#port.sentWire >= this.#credit) return 0;
    for (const [id, tree] of this.#trees) {
      const message = tree.next();
      if (message === undefined) continue;
      this.#port.send(message);
      if (message.type !== 'tree-blocks') {
        this.#trees.delete(id);
        return 0;
      }
      // Trees take turns.
      this.#trees.delete(id);
      this.#trees.set(id, tree);
      return message.lengths.reduce((sum, length) => sum + length, 0);
    }
    const group = this.#prepared.shift();
    this.#prepareWake.wake();
    if (group === undefined) return 0;
    this.#inWork -= group.message.ids.length;
    this.#port.send(group.message, group.pieces);
    return group.plain;
  }

  async #prepareLoop(): Promise<void> {
    while (this.#open) {
      const rank = this.#queue.waiting(1) > 0 ? 1 : this.#queue.waiting(2) > 0 ? 2 : undefined;
      if (rank === undefined || this.#prepared.length >= MAX_PREPARED) {
        await this.#prepareWake.sleep();
        continue;
      }
      const group = await this.#prepare(rank);
      if (group === undefined) continue;
      this.#inWork += group.message.ids.length;
      this.#prepared.push(group);
      this.#sendWake.wake();
    }
  }

  /** Reads and packs the next group of a class; tells at once what of it is not here. */
  async #prepare(rank: number): Promise<Prepared | undefined> {
    const ids: number[] = [];
    const lengths: number[] = [];
    const parts: (Uint8Array | Promise<Uint8Array | undefined>)[] = [];
    const missing: number[] = [];
    let plain = 0;
    let level = 0;
    for (let want = this.#queue.peek(rank); want !== undefined; want = this.#queue.peek(rank)) {
      if (ids.length === 0) level = want.level;
      const target = level > 0 && rank !== DEMAND ? BULK_GROUP_BYTES : PLAIN_GROUP_BYTES;
      if (ids.length > 0 && (want.level !== level || plain >= target || ids.length >= MAX_GROUP_BLOCKS))
        break;
      const cid = cidOf(want);
      const size = this.#components.blocks.size(cid, { sharedOnly: true });
      if (size !== undefined && ids.length > 0 && plain + size > Math.max(target, PLAIN_GROUP_BYTES)) break;
      this.#queue.take(rank);
      if (size === undefined || size > MAX_GROUP_BYTES) {
        missing.push(want.id);
        if (missing.length >= MAX_GROUP_BLOCKS) break;
        continue;
      }
      ids.push(want.id);
      lengths.push(size);
      plain += size;
      parts.push(this.#read(cid, size));
    }
    if (missing.length > 0) this.#port.send({ type: 'missing', ids: missing });
    if (ids.length === 0) return undefined;
    this.#inWork += ids.length;
    try {
      return await this.#pack(ids, lengths, await Promise.all(parts), level);
    } finally {
      this.#inWork -= ids.length;
    }
  }

  #read(cid: CID, size: number): Uint8Array | Promise<Uint8Array | undefined> {
    const { blocks } = this.#components;
    if (size <= SYNC_BYTES) {
      const bytes = blocks.getSync(cid, { sharedOnly: true });
      if (bytes !== undefined) return bytes;
    }
    return blocks.get(cid, { sharedOnly: true });
  }

  async #pack(
    ids: number[],
    lengths: number[],
    read: (Uint8Array | undefined)[],
    level: number,
  ): Promise<Prepared | undefined> {
    // A block may have gone (a sweep, a disk error) between its size and its bytes.
    const gone = ids.filter((_, i) => read[i]?.length !== lengths[i]);
    if (gone.length > 0) {
      this.#port.send({ type: 'missing', ids: gone });
      const kept = ids.map((_, i) => i).filter((i) => read[i]?.length === lengths[i]);
      if (kept.length === 0) return undefined;
      return this.#pack(
        kept.map((i) => ids[i]!),
        kept.map((i) => lengths[i]!),
        kept.map((i) => read[i]),
        level,
      );
    }
    const { pieces, zstd } = await this.#packer.pack(read as Uint8Array[], level);
    const plain = lengths.reduce((sum, length) => sum + length, 0);
    return { message: { type: 'blocks', ids, lengths, zstd, payload: NOTHING }, pieces, plain };
  }
}

function cidOf(want: OpenWant): CID {
  return want.codec === DAG_PB_CODEC ? dagPbCid(want.digest) : rawCid(want.digest);
}
