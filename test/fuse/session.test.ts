import { constants } from 'node:os';
import { createDeferredReplies } from '../../src/fuse/deferred-replies.ts';
import { type FuseFilesystem, PENDING, type RequestId } from '../../src/fuse/filesystem.ts';
import { createMemoryChannel } from '../../src/fuse/memory-channel.ts';
import { notifyResend } from '../../src/fuse/resend.ts';
import { createFuseSession, type FuseSessionComponents } from '../../src/fuse/session.ts';
import type { SessionTerms } from '../../src/fuse/session-terms.ts';
import { traceReply } from '../../src/fuse/trace.ts';
import type { FieldValues } from '../../src/fuse/wire/layout.ts';
import { OPCODE_LIMIT, OPERATIONS, type OperationName, operation } from '../../src/fuse/wire/operations.ts';
import { decodeReply } from '../../src/fuse/wire/reply-frame.ts';
import { encodeRequest } from '../../src/fuse/wire/request-frame.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { contractTree } from './contract-tree.ts';
import { openFrameView } from './frame-view.ts';
import { createMemoryFilesystem } from './memory-filesystem.ts';

const { EINVAL, EIO, ENOSYS, EROFS } = constants.errno;

const TREE = contractTree();

const request = (
  name: OperationName,
  node = 1,
  body: FieldValues = {},
  names: string[] = [],
  unique: number | bigint = 2,
) =>
  encodeRequest(
    operation(name),
    { unique, node },
    body,
    names.map((text) => Buffer.from(text, 'latin1')),
  );

function harness(changes: Partial<FuseFilesystem> = {}, more: Partial<FuseSessionComponents> = {}) {
  const channel = createMemoryChannel();
  const filesystem = { ...createMemoryFilesystem(TREE), ...changes };
  const logged: string[] = [];
  const logger = { ...silentLogger, error: (_: object, text: string) => void logged.push(text) };
  const agreed: SessionTerms[] = [];
  const session = createFuseSession(
    { channel, filesystem, logger, poll: () => {}, agreed: (terms) => void agreed.push(terms), ...more },
    { passthrough: true },
  );
  return {
    channel,
    session,
    filesystem,
    logged,
    agreed,
    /** Feeds frames, serves them, answers the replies. */
    serve: (...frames: Uint8Array[]) => {
      for (const frame of frames) channel.feed(frame);
      session.serve();
      return channel.take();
    },
  };
}

const errnoOf = (frame: Uint8Array | undefined) => Math.abs(new DataView(frame!.buffer).getInt32(4, true));

describe('a FUSE session', () => {
  it.each(OPERATIONS.filter(({ refuse }) => refuse !== undefined).map((row) => [row.name, row] as const))(
    'refuses %s as its row says',
    (_, row) => {
      const { serve } = harness();
      const names = Array.from({ length: row.names }, () => Buffer.from('x'));
      const replies = serve(encodeRequest(row, { unique: 2, node: 1 }, {}, names));
      expect(replies).toHaveLength(1);
      expect(decodeReply(row, replies[0]!)).toMatchObject({ unique: 2n, errno: row.refuse });
    },
  );

  it('refuses every operation that writes with EROFS', () => {
    const writes = OPERATIONS.filter((row) => row.writes);
    expect(writes.map(({ name }) => name).sort()).toEqual(
      [
        'SETATTR SYMLINK MKNOD MKDIR UNLINK RMDIR RENAME LINK WRITE SETXATTR REMOVEXATTR CREATE FALLOCATE RENAME2',
        'COPY_FILE_RANGE TMPFILE COPY_FILE_RANGE_64',
      ]
        .join(' ')
        .split(' ')
        .sort(),
    );
    expect(writes.every(({ refuse }) => refuse === EROFS)).toBe(true);
  });

  it.each([1, 2, 3, 512, 0x8000 | 1])('refuses OPEN with flags %i', (flags) => {
    const { serve } = harness();
    expect(errnoOf(serve(request('OPEN', 2, { flags }))[0])).toBe(EROFS);
  });

  it('says ENOSYS to an opcode that is not in the table', () => {
    const { serve } = harness();
    for (const opcode of [0, 7, 19, 54, 63, 64, 4096, 2 ** 32 - 1]) {
      const frame = request('STATFS', 1, {}, [], 8);
      new DataView(frame.buffer).setUint32(4, opcode, true);
      expect(errnoOf(serve(frame)[0])).toBe(ENOSYS);
    }
  });

  it('counts requests by opcode, unknown ones in 0', () => {
    const counters = new Uint32Array(OPCODE_LIMIT);
    const { serve } = harness({}, { counters });
    const unknown = request('STATFS');
    new DataView(unknown.buffer).setUint32(4, 54, true);
    serve(request('STATFS'), request('STATFS'), unknown);
    expect([counters[0], counters[17]]).toEqual([1, 2]);
  });

  it('drops a frame that is not whole, and refuses one that is shorter than its operation', () => {
    const { serve } = harness();
    const frame = request('READ', 2, { size: 10 });
    expect(serve(frame.subarray(0, 39), frame.subarray(0, 60))).toEqual([]);
    const short = frame.slice(0, 64);
    new DataView(short.buffer).setUint32(0, 64, true);
    expect(errnoOf(serve(short)[0])).toBe(EINVAL);
  });

  it('refuses a node that no server gave out', () => {
    const { serve } = harness();
    const frame = encodeRequest(operation('GETATTR'), { unique: 2, node: 2n ** 63n });
    expect(errnoOf(serve(frame)[0])).toBe(EINVAL);
  });

  it('makes EIO of a method that throws, and logs it', () => {
    const { serve, logged } = harness({
      attributes: () => {
        throw new Error('broken');
      },
    });
    expect(errnoOf(serve(request('GETATTR'))[0])).toBe(EIO);
    expect(logged).toEqual(['the filesystem failed at a FUSE request']);
    expect(errnoOf(serve(request('STATFS'))[0])).toBe(0);
  });

  it('makes EIO of a method that put nothing, too much, or an errno that is none', () => {
    const nothing = harness({ attributes: () => 0 });
    expect(errnoOf(nothing.serve(request('GETATTR'))[0])).toBe(EIO);
    const tooMuch = harness({
      read: (_node, _handle, _offset, size, _request, out) => {
        out.bytes(new Uint8Array(size + 1));
        return 0;
      },
    });
    expect(errnoOf(tooMuch.serve(request('READ', 2, { size: 10 }))[0])).toBe(EIO);
    for (const status of [512, 5000, -7]) {
      const odd = harness({ attributes: () => status });
      expect(errnoOf(odd.serve(request('GETATTR'))[0])).toBe(EIO);
    }
  });

  it('keeps ENOSYS of a method from a kernel that would remember it', () => {
    const refusing = harness({
      open: () => ENOSYS,
      xattr: () => ENOSYS,
      xattrNames: () => ENOSYS,
      seek: () => ENOSYS,
    });
    for (const frame of [
      request('OPEN', 2),
      request('GETXATTR', 2, { size: 0 }, ['user.a']),
      request('LISTXATTR', 2),
      request('LSEEK', 2, { whence: 3 }),
    ])
      expect(errnoOf(refusing.serve(frame)[0])).toBe(EIO);
  });

  it('sends nothing for PENDING, and the answer when somebody has it', () => {
    const kept: RequestId[] = [];
    const { serve, channel } = harness({
      read: (_node, _handle, _offset, _size, id) => {
        kept.push(id);
        return PENDING;
      },
      open: (_node, _flags, id) => {
        kept.push(id);
        return PENDING;
      },
    });
    const unique = (1n << 63n) | 12n;
    expect(
      serve(
        request('READ', 2, { size: 10 }, [], unique),
        request('OPEN', 2, {}, [], 14),
        request('OPEN', 2, {}, [], 16),
      ),
    ).toEqual([]);
    const replies = createDeferredReplies(channel);
    replies.bytes(kept[0]!, Buffer.from('later'));
    replies.opened(kept[1]!, 2 ** 40 + 1);
    replies.error(kept[2]!, EIO);
    replies.bytes(kept[2]!, new Uint8Array());
    const [read, opened, failed, empty] = channel.take();
    expect(decodeReply(operation('READ'), read!)).toMatchObject({
      unique,
      errno: 0,
      bytes: new Uint8Array(Buffer.from('later')),
    });
    expect(decodeReply(operation('OPEN'), opened!).body).toEqual({
      handle: 2n ** 40n + 1n,
      openFlags: 2,
      backingId: 0,
    });
    expect(decodeReply(operation('OPEN'), failed!)).toMatchObject({ unique: 16n, errno: EIO });
    expect(decodeReply(operation('READ'), empty!).bytes.length).toBe(0);
  });

  it('hands on an interrupt with the id of what it interrupts, and does not answer it', () => {
    const interrupted: RequestId[] = [];
    const { serve } = harness({ interrupt: (id) => void interrupted.push(id) });
    expect(serve(request('INTERRUPT', 0, { unique: (1n << 63n) | 6n }))).toEqual([]);
    expect(interrupted).toEqual([{ high: 2 ** 31, low: 6 }]);
  });

  it('answers passthrough with the backing id and without KEEP_CACHE', () => {
    const { serve } = harness({
      open: (_node, _flags, _request, out) => {
        out.passthrough(7, 3);
        return 0;
      },
    });
    const reply = decodeReply(operation('OPEN'), serve(request('OPEN', 2))[0]!);
    expect(reply.body).toEqual({ handle: 7n, openFlags: 128, backingId: 3 });
  });

  it('follows the size rules of xattr(7)', () => {
    const { serve } = harness();
    const attributed = openFrameView(createMemoryFilesystem(TREE)).nodeOf('attributed');
    const get = (size: number) =>
      decodeReply(operation('GETXATTR'), serve(request('GETXATTR', attributed, { size }, ['user.text']))[0]!);
    expect(Buffer.from(get(0).bytes).readUInt32LE(0)).toBe(5);
    expect(get(0).bytes.length).toBe(8);
    expect(get(4).errno).toBe(constants.errno.ERANGE);
    expect(Buffer.from(get(5).bytes).toString()).toBe('value');
    expect(Buffer.from(get(500).bytes).toString()).toBe('value');
    expect(errnoOf(serve(request('LISTXATTR', attributed, { size: 3 }))[0])).toBe(constants.errno.ERANGE);
  });

  it.each([24, 160, 161, 300, 4096, 32_768, 1 << 20])(
    'fills at most %i bytes of a directory, and goes on',
    (size) => {
      const view = openFrameView(createMemoryFilesystem(TREE));
      const plain = view.entries(1, false, Math.max(size, 300));
      const plus = view.entries(1, true, Math.max(size, 500));
      expect(plain.map(({ name }) => Buffer.from(name).toString('latin1'))).toEqual(
        plus.map(({ name }) => Buffer.from(name).toString('latin1')),
      );
      expect(view.ask('READDIRPLUS', 1, { offset: 0, size: 24 }).bytes.length).toBe(0);
    },
  );

  it('gives READDIRPLUS a node and attributes for all but the dots', () => {
    const view = openFrameView(createMemoryFilesystem(TREE));
    for (const { name, entry, type, inode } of view.entries(1, true, 4096)) {
      const text = Buffer.from(name).toString('latin1');
      if (text === '.' || text === '..') expect(entry).toMatchObject({ node: 0n, mode: 0 });
      else {
        expect(entry).toMatchObject({ node: BigInt(view.nodeOf(text)), inode: BigInt(inode) });
        expect(Number(entry!['mode']) >>> 12).toBe(type);
      }
    }
  });

  it('hears of every look-up that the kernel forgets', () => {
    const filesystem = createMemoryFilesystem(TREE);
    const view = openFrameView(filesystem);
    view.entries(1, true, 4096);
    view.nodeOf('plain');
    const { lookups } = filesystem.counts;
    view.tell('FORGET', 2, { count: 1 });
    const rest = Buffer.alloc((lookups - 1) * 16);
    for (let n = 0; n < lookups - 1; n++) rest.writeBigUInt64LE(1n, n * 16 + 8);
    view.tell('BATCH_FORGET', 0, { count: lookups - 1 }, rest);
    expect(filesystem.counts.forgotten).toBe(lookups);
    // a count above what is there is no reason to read beyond the frame
    view.tell('BATCH_FORGET', 0, { count: 2 ** 32 - 1 }, rest.subarray(0, 16));
    expect(filesystem.counts.forgotten).toBe(lookups + 1);
  });

  it('reads nothing where no file can reach', () => {
    const { serve } = harness();
    const offset = 2n ** 62n;
    expect(serve(request('READ', 2, { offset, size: 10 }))[0]!.length).toBe(16);
    expect(serve(request('READDIR', 1, { offset, size: 1000 }))[0]!.length).toBe(16);
    expect(errnoOf(serve(request('LSEEK', 2, { offset, whence: 3 }))[0])).toBe(constants.errno.ENXIO);
    expect(errnoOf(serve(request('LSEEK', 2, { offset: 0, whence: 2 }))[0])).toBe(EINVAL);
    expect(errnoOf(serve(request('READ', 2, { size: (1 << 20) + 1 }))[0])).toBe(EIO);
  });

  it('agrees on terms at INIT, says them first to its owner, and acts by them', () => {
    const { serve, agreed, session } = harness();
    expect(decodeReply(operation('OPENDIR'), serve(request('OPENDIR'))[0]!).body).toMatchObject({
      openFlags: 10,
    });
    const [reply] = serve(
      request('INIT', 0, { major: 7, minor: 31, maxReadahead: 131_072, flags: 0xffff_ffff }),
    );
    expect(decodeReply(operation('INIT'), reply!).body).toMatchObject({ major: 7, minor: 31, maxPages: 256 });
    expect(agreed).toEqual([session.terms]);
    expect(errnoOf(serve(request('OPENDIR'))[0])).toBe(ENOSYS);
  });

  it('works by the terms of an earlier server', () => {
    const first = harness();
    first.serve(request('INIT', 0, { major: 7, minor: 40, flags: 0xffff_ffff }));
    const second = harness({}, { terms: first.session.terms! });
    expect(errnoOf(second.serve(request('OPENDIR'))[0])).toBe(ENOSYS);
  });

  it('refuses a kernel that is too old', () => {
    const { serve, agreed } = harness();
    expect(errnoOf(serve(request('INIT', 0, { major: 7, minor: 30 }))[0])).toBe(constants.errno.EPROTO);
    expect(agreed).toEqual([]);
  });

  it('ends at DESTROY, after the answer', () => {
    const { channel, session } = harness();
    channel.feed(request('DESTROY', 0));
    channel.feed(request('STATFS'));
    expect(session.serve()).toBe('ended');
    expect(channel.take()).toHaveLength(1);
  });

  it('polls between a request and its answer, and stops after it when told', () => {
    const order: string[] = [];
    const { channel, session } = harness(
      {
        statistics: (out) => {
          order.push('statfs');
          out.statistics(0, 0);
          return 0;
        },
      },
      {
        poll: () => {
          order.push('poll');
          session.stop();
        },
      },
    );
    channel.feed(request('STATFS'));
    channel.feed(request('STATFS'));
    expect(session.serve()).toBe('stopped');
    expect(channel.take()).toHaveLength(1);
    expect(order).toEqual(['poll', 'statfs']);
    expect(session.serve()).toBe('stopped');
    expect(channel.take()).toHaveLength(1);
  });

  it('lives on when a reply is not taken', () => {
    const channel = createMemoryChannel();
    const write = channel.write;
    let broken = true;
    channel.write = (frame) => {
      if (!broken) return write(frame);
      broken = false;
      throw new Error('EINVAL');
    };
    const { session, logged } = harness({}, { channel });
    channel.feed(request('STATFS'));
    channel.feed(request('STATFS'));
    session.serve();
    expect(logged).toEqual(['a FUSE reply was not taken']);
    expect(channel.take()).toHaveLength(1);
  });
});

describe('a notification', () => {
  it('asks for what was left unanswered', () => {
    const channel = createMemoryChannel();
    notifyResend(channel);
    const [frame] = channel.take();
    expect(Buffer.from(frame!).toString('hex')).toBe('10000000070000000000000000000000');
    expect(traceReply(frame!)).toBe('notification 7');
  });
});
