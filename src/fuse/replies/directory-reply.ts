import type { DirectoryReply, NodeAttributes } from '../filesystem.ts';
import { putEntry } from '../wire/attributes.ts';
import { putInteger } from '../wire/integers.ts';
import { DIRENT_OUT, ENTRY_OUT } from '../wire/reply-layouts.ts';
import { BODY_ROOM, type ReplyFrame } from './reply-frame.ts';

const DIRENT = DIRENT_OUT.at;

/** Entries of a directory behind each other, each on a boundary of 8 bytes, each with its attributes in READDIRPLUS. */
export class DirectoryPacker implements DirectoryReply {
  plus = false;
  readonly #frame: ReplyFrame;
  #room = 0;

  constructor(frame: ReplyFrame) {
    this.#frame = frame;
  }

  /** @param room bytes that the kernel asked for */
  begin(plus: boolean, room: number): void {
    this.plus = plus;
    this.#room = Math.min(room, BODY_ROOM);
  }

  entry(name: Uint8Array, next: number, node: number, attributes: NodeAttributes): boolean {
    const frame = this.#frame;
    const { bytes, view } = frame;
    const length = name.length;
    const text = frame.from + frame.size + (this.plus ? ENTRY_OUT.size : 0) + DIRENT_OUT.size;
    const end = (text + length + 7) & ~7;
    if (end - frame.from > this.#room) return false;
    if (this.plus) {
      const at = frame.from + frame.size;
      // node 0: the kernel takes the name alone and counts no look-up
      if (node === 0) bytes.fill(0, at, at + ENTRY_OUT.size);
      else putEntry(view, at, node, attributes);
    }
    const at = text - DIRENT_OUT.size;
    putInteger(view, at + DIRENT.inode, attributes.inode);
    putInteger(view, at + DIRENT.next, next);
    view.setUint32(at + DIRENT.nameLength, length, true);
    view.setUint32(at + DIRENT.type, (attributes.mode >>> 12) & 15, true);
    bytes.set(name, text);
    bytes.fill(0, text + length, end);
    frame.size = end - frame.from;
    return true;
  }
}
