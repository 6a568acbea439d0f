import { constants } from 'node:os';
import type { FuseFilesystem } from '../../src/fuse/filesystem.ts';
import { createMemoryChannel } from '../../src/fuse/memory-channel.ts';
import { createFuseSession } from '../../src/fuse/session.ts';
import type { FieldValues } from '../../src/fuse/wire/layout.ts';
import { type OperationName, operation } from '../../src/fuse/wire/operations.ts';
import {
  type DirectoryEntry,
  decodeDirectory,
  decodeReply,
  type ReplyParts,
} from '../../src/fuse/wire/reply-frame.ts';
import { encodeRequest } from '../../src/fuse/wire/request-frame.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import type { FilesystemView, SeenStat } from './filesystem-contract.ts';

/** A kernel in miniature: says what the real one would say over a channel in memory, and checks every reply's form. */
export interface FrameView extends FilesystemView {
  /** One request and its reply. @throws an error with `code` for an errno, RangeError for a malformed reply */
  ask(name: OperationName, node: number, body?: FieldValues, names?: readonly string[]): ReplyParts;
  /** The same for requests that have no reply. */
  tell(name: OperationName, node: number, body?: FieldValues, rest?: Uint8Array): void;
  nodeOf(path: string): number;
  entries(node: number, plus: boolean, size: number): DirectoryEntry[];
}

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, errno]) => [errno, name]));
const SEEK = { data: 3, hole: 4 };

export function openFrameView(filesystem: FuseFilesystem): FrameView {
  const channel = createMemoryChannel();
  const session = createFuseSession(
    { channel, filesystem, logger: silentLogger, poll: () => {}, agreed: () => {} },
    { passthrough: false },
  );
  let unique = 0;
  const send = (
    name: OperationName,
    node: number,
    body: FieldValues,
    names: readonly string[],
    rest?: Uint8Array,
  ) => {
    unique += 2;
    const texts = names.map((text) => Buffer.from(text, 'latin1'));
    channel.feed(encodeRequest(operation(name), { unique, node, pid: 1 }, body, texts, rest));
    session.serve();
    return channel.take();
  };
  const ask: FrameView['ask'] = (name, node, body = {}, names = []) => {
    const replies = send(name, node, body, names);
    if (replies.length !== 1) throw new RangeError(`${name}: ${replies.length} replies`);
    const reply = decodeReply(operation(name), replies[0]!);
    if (reply.unique !== BigInt(unique)) throw new RangeError(`${name}: a reply to something else`);
    if (reply.errno !== 0) throw Object.assign(new Error(name), { code: ERRNO_NAMES.get(reply.errno) });
    return reply;
  };
  const nodeOf = (path: string) => {
    let node = 1;
    for (const name of path === '' ? [] : path.split('/')) {
      node = Number(ask('LOOKUP', node, {}, [name]).body!['node']);
      if (node === 0) throw Object.assign(new Error(path), { code: 'ENOENT' });
    }
    return node;
  };
  const entries: FrameView['entries'] = (node, plus, size) => {
    const all: DirectoryEntry[] = [];
    for (;;) {
      const offset = all.at(-1)?.next ?? 0;
      const { bytes } = ask(plus ? 'READDIRPLUS' : 'READDIR', node, { offset, size });
      if (bytes.length > size) throw new RangeError('more entries than were asked for');
      if (bytes.length === 0) return all;
      all.push(...decodeDirectory(bytes, plus));
    }
  };
  const opened = <T>(path: string, use: (node: number, handle: FieldValues) => T): T => {
    const node = nodeOf(path);
    const handle = ask('OPEN', node).body!['handle']!;
    try {
      return use(node, { handle });
    } finally {
      ask('RELEASE', node, { handle });
    }
  };
  const sized = (name: OperationName, node: number, names: readonly string[]) => {
    const { bytes } = ask(name, node, { size: 0 }, names);
    const size = Buffer.from(bytes).readUInt32LE(0);
    return size === 0 ? new Uint8Array() : ask(name, node, { size }, names).bytes;
  };
  return {
    ask,
    tell: (name, node, body = {}, rest) => {
      const replies = send(name, node, body, [], rest);
      if (replies.length !== 0) throw new RangeError(`${name}: a reply where none belongs`);
    },
    nodeOf,
    entries,
    stat: async (path) => statOf(ask('GETATTR', nodeOf(path)).body!),
    list: async (path) => {
      const names = entries(nodeOf(path), true, 32_768).map(({ name }) =>
        Buffer.from(name).toString('latin1'),
      );
      return names.filter((name) => name !== '.' && name !== '..');
    },
    read: async (path, offset, size) =>
      opened(path, (node, handle) => ask('READ', node, { ...handle, offset, size }).bytes),
    link: async (path) => Buffer.from(ask('READLINK', nodeOf(path)).bytes).toString('latin1'),
    xattr: async (path, name) => sized('GETXATTR', nodeOf(path), [name]),
    xattrNames: async (path) =>
      Buffer.from(sized('LISTXATTR', nodeOf(path), []))
        .toString('latin1')
        .split('\0')
        .slice(0, -1),
    seek: async (path, offset, to) =>
      opened(path, (node, handle) =>
        Number(ask('LSEEK', node, { ...handle, offset, whence: SEEK[to] }).body!['offset']),
      ),
    [Symbol.asyncDispose]: async () => {},
  };
}

function statOf(body: FieldValues): SeenStat {
  const rdev = Number(body['rdev']);
  return {
    inode: Number(body['inode']),
    size: Number(body['size']),
    mode: Number(body['mode']),
    nlink: Number(body['nlink']),
    uid: Number(body['uid']),
    gid: Number(body['gid']),
    mtime: Number(body['mtime']),
    mtimeNanos: Number(body['mtimeNanos']),
    device: [(rdev >>> 8) & 0xfff, (rdev & 0xff) | ((rdev >>> 12) & 0xfff00)],
  };
}
