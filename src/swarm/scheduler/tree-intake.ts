import type { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import type { DagBlock } from '../../image/dag/dag-block.ts';
import { dagLinks, verifyBlock } from '../../image/dag/dag-node.ts';
import { Wake } from '../lanes/wake.ts';

export type TreeBlock = DagBlock & { readonly peer: string };

/** Bytes that wait for the consumer before senders are held, and until they may go on. */
const HIGH_BYTES = 8 * 1024 * 1024;
const LOW_BYTES = 2 * 1024 * 1024;

/**
 * Takes blocks of one tree from any number of senders: each must hash to its CID and be linked by a block that was
 * accepted before (or be the root), so nobody can make this station keep what the root does not lead to.
 */
export class TreeIntake {
  readonly wake = new Wake();
  readonly #maxBytes: number;
  readonly #linked = new Set<string>();
  readonly #accepted = new Set<string>();
  readonly #onHold: (held: boolean) => void;
  #queue: TreeBlock[] = [];
  #waiting = 0;
  #bytes = 0;
  #held = false;

  /** @param onHold told when senders should pause, and when they may go on */
  constructor(root: CID, maxBytes: number, onHold: (held: boolean) => void) {
    this.#maxBytes = maxBytes;
    this.#linked.add(root.toString());
    this.#onHold = onHold;
  }

  get accepted(): number {
    return this.#accepted.size;
  }

  get full(): boolean {
    return this.#held;
  }

  /**
   * @throws Fault `corrupt/block-mismatch`, `corrupt/unlinked-block`, `corrupt/bad-node`: the sender lied;
   *   `invalid/tree-too-big`
   */
  accept(cid: CID, bytes: Uint8Array, peer: string): void {
    const key = cid.toString();
    if (this.#accepted.has(key)) return;
    if (!this.#linked.has(key)) {
      throw new Fault(
        'corrupt',
        'unlinked-block',
        `peer ${peer} sent ${key}, which nothing before it links`,
        {
          fields: { block: key, peer },
        },
      );
    }
    verifyBlock(cid, bytes);
    for (const link of dagLinks(cid, bytes)) this.#linked.add(link.toString());
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) {
      throw new Fault('invalid', 'tree-too-big', `the tree has more than ${this.#maxBytes} bytes`, {
        fields: { limit: this.#maxBytes },
      });
    }
    this.#accepted.add(key);
    this.#queue.push({ cid, bytes, peer });
    this.#waiting += bytes.length;
    if (!this.#held && this.#waiting > HIGH_BYTES) {
      this.#held = true;
      this.#onHold(true);
    }
    this.wake.wake();
  }

  /** What came since the last call. */
  drain(): TreeBlock[] {
    const blocks = this.#queue;
    this.#queue = [];
    return blocks;
  }

  /** The consumer took a block. */
  taken(bytes: number): void {
    this.#waiting -= bytes;
    if (this.#held && this.#waiting < LOW_BYTES) {
      this.#held = false;
      this.#onHold(false);
    }
  }
}
