import { CID } from 'multiformats/cid';
import { Fault, toFault } from '../../base/fault.ts';
import type { BlockStore } from '../../store/block-store.ts';
import { GroupPacker } from './block-group.ts';
import { violation } from './fields.ts';
import { BULK_GROUP_BYTES, MAX_GROUP_BLOCKS, MAX_GROUP_BYTES } from './lane-limits.ts';
import type { Message, TreeBlocks, TreeWant } from './messages.ts';
import { walkTree } from './tree-walk.ts';

/** Groups that are ready and wait for the stream; more stop the walk. */
const MAX_READY = 2;

/** One tree want under way: walks the image and holds a little of the answer ready. */
export class TreeReply {
  readonly id: number;
  readonly #want: TreeWant;
  readonly #blocks: BlockStore;
  readonly #changed: () => void;
  readonly #packer = new GroupPacker();
  readonly #ready: TreeBlocks[] = [];
  #end: Message | undefined;
  #room: (() => void) | undefined;
  #cancelled = false;
  #cids: Uint8Array[] = [];
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** Groups are packed one after the other, so parents stay before children. */
  #packing: Promise<void> = Promise.resolve();

  /** @param changed called whenever a frame became ready */
  constructor(want: TreeWant, blocks: BlockStore, changed: () => void) {
    this.id = want.id;
    this.#want = want;
    this.#blocks = blocks;
    this.#changed = changed;
  }

  /** @throws Fault `invalid/lane-violation` where the want's CIDs are none */
  start(): void {
    const root = decode(this.#want.root);
    const have = new Set(this.#want.have.map((cid) => decode(cid).toString()));
    void this.#run(root, have);
  }

  /** The next frame, where one is ready. */
  next(): Message | undefined {
    const group = this.#ready.shift();
    this.#room?.();
    this.#room = undefined;
    if (group !== undefined) return group;
    const end = this.#end;
    this.#end = undefined;
    return end;
  }

  get waiting(): boolean {
    return this.#ready.length > 0 || this.#end !== undefined;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#ready.length = 0;
    this.#room?.();
  }

  async #run(root: CID, have: ReadonlySet<string>): Promise<void> {
    const { path, platform } = this.#want;
    let end: Message = { type: 'tree-end', id: this.id };
    try {
      await walkTree(
        { root, path, platform, have },
        { get: (cid) => this.#get(cid), emit: (cid, bytes) => this.#emit(cid, bytes), width: 4 },
      );
    } catch (thrown) {
      const { code, fields, message: text } = toFault(thrown);
      let cid = root;
      if (typeof fields['block'] === 'string') cid = CID.parse(fields['block']);
      end = { type: 'tree-missing', id: this.id, cid: cid.bytes, code, text };
    }
    await this.#flush();
    this.#end = end;
    if (!this.#cancelled) this.#changed();
  }

  async #get(cid: CID): Promise<Uint8Array> {
    if (this.#cancelled) throw new Fault('cancelled', 'cancelled', 'cancelled');
    const bytes = await this.#blocks.get(cid, { sharedOnly: true });
    if (bytes === undefined) {
      throw new Fault('not-found', 'no-block', `block ${cid} is not here`, {
        fields: { block: cid.toString() },
      });
    }
    return bytes;
  }

  async #emit(cid: CID, bytes: Uint8Array): Promise<void> {
    if (this.#bytes > 0 && this.#bytes + bytes.length > MAX_GROUP_BYTES) await this.#flush();
    this.#cids.push(cid.bytes);
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= BULK_GROUP_BYTES || this.#cids.length >= MAX_GROUP_BLOCKS) await this.#flush();
  }

  #flush(): Promise<void> {
    const cids = this.#cids;
    const parts = this.#parts;
    this.#cids = [];
    this.#parts = [];
    this.#bytes = 0;
    if (cids.length > 0) {
      this.#packing = this.#packing.then(async () => {
        while (this.#ready.length >= MAX_READY && !this.#cancelled) {
          await new Promise<void>((resolve) => {
            this.#room = resolve;
          });
        }
        if (this.#cancelled) return;
        const { pieces, zstd } = await this.#packer.pack(parts, this.#want.level);
        const payload = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
        const lengths = parts.map((part) => part.length);
        this.#ready.push({ type: 'tree-blocks', id: this.id, cids, lengths, zstd, payload });
        this.#changed();
      });
    }
    return this.#packing;
  }
}

function decode(bytes: Uint8Array): CID {
  try {
    return CID.decode(bytes);
  } catch {
    throw violation('a tree want that names no CID');
  }
}
