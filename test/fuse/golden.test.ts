import { createMemoryChannel } from '../../src/fuse/memory-channel.ts';
import { createFuseSession } from '../../src/fuse/session.ts';
import { traceReply, traceRequest } from '../../src/fuse/trace.ts';
import { OPERATIONS, operation } from '../../src/fuse/wire/operations.ts';
import { decodeReply } from '../../src/fuse/wire/reply-frame.ts';
import { decodeRequest, encodeRequest } from '../../src/fuse/wire/request-frame.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { contractTree } from './contract-tree.ts';
import { readGoldenFrames } from './golden-frames.ts';
import { createMemoryFilesystem } from './memory-filesystem.ts';

const GOLDEN = readGoldenFrames();

describe('requests of real kernels', () => {
  it.each(GOLDEN.map((golden) => [golden.trace.split(' ')[0], golden.ran, golden] as const))(
    '%s of `%s` is understood to the last byte',
    (name, _, { frame, trace }) => {
      expect(traceRequest(frame)).toBe(trace);
      const { operation: row, header, body, names, rest } = decodeRequest(frame);
      expect(row!.name).toBe(name);
      expect(encodeRequest(row!, header, body, names, rest)).toEqual(frame);
      const left = name === 'INIT' || name === 'BATCH_FORGET' || name === 'SETXATTR';
      expect(rest.length > 0).toBe(left);
    },
  );

  it('are answered in a form that the kernel takes, each once', () => {
    const channel = createMemoryChannel();
    const session = createFuseSession(
      {
        channel,
        filesystem: createMemoryFilesystem(contractTree()),
        logger: silentLogger,
        poll: () => {},
        agreed: () => {},
      },
      { passthrough: true },
    );
    for (const { frame, trace } of GOLDEN) {
      const { operation: row, header } = decodeRequest(frame);
      channel.feed(frame);
      session.serve();
      const replies = channel.take();
      expect([trace, replies.length]).toEqual([trace, row!.answer === 'nothing' ? 0 : 1]);
      for (const reply of replies) {
        const { unique, errno } = decodeReply(row!, reply);
        expect(unique).toBe(header['unique']);
        if (row!.refuse !== undefined) expect(errno).toBe(row!.refuse);
        expect(traceReply(reply, row!.opcode)).toContain(`unique=${unique}`);
      }
    }
  });

  it('cover what a kernel asks of a mount such as ours', () => {
    const seen = new Set(GOLDEN.map(({ trace }) => trace.split(' ')[0]!));
    // never sent here: by old kernels, for block devices, for locks and mappings not agreed on, or behind a refused open
    const unseen =
      'WRITE READDIR RELEASEDIR GETLK SETLK SETLKW BMAP DESTROY NOTIFY_REPLY FALLOCATE COPY_FILE_RANGE ' +
      'SETUPMAPPING REMOVEMAPPING SYNCFS COPY_FILE_RANGE_64';
    expect(OPERATIONS.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual(unseen.split(' '));
  });
});

describe('a trace', () => {
  const lookup = encodeRequest(operation('LOOKUP'), { unique: (1n << 63n) | 5n, node: 1 }, {}, [
    Uint8Array.of(0x61, 0xff, 0x0a),
  ]);

  it('shows every byte of a name, and what was sent again', () => {
    expect(traceRequest(lookup)).toBe('LOOKUP unique=5 resent node=1 uid=0 gid=0 pid=0 "aÿ\\n"');
  });

  it('says what it cannot read', () => {
    expect(traceRequest(lookup.subarray(0, 12))).toBe('12 bytes: no header');
    expect(traceRequest(lookup.subarray(0, 41))).toMatch(/ cut short$/);
    const unknown = lookup.slice();
    unknown[4] = 200;
    expect(traceRequest(unknown)).toMatch(/^OPCODE-200 /);
    expect(traceReply(Uint8Array.of(1))).toBe('1 bytes: no header');
  });

  it('names the errno of a refusal', () => {
    const frame = new DataView(new ArrayBuffer(16));
    frame.setUint32(0, 16, true);
    frame.setInt32(4, -30, true);
    frame.setUint32(8, 6, true);
    expect(traceReply(new Uint8Array(frame.buffer))).toBe('unique=6 EROFS');
  });
});
