import { createDeferredReplies } from '../../src/fuse/deferred-replies.ts';
import { keepFrames, makeFrameRing, recordFrames, traceFrames } from '../../src/fuse/frame-ring.ts';
import { createMemoryChannel } from '../../src/fuse/memory-channel.ts';
import { createFuseSession } from '../../src/fuse/session.ts';
import { operation } from '../../src/fuse/wire/operations.ts';
import { encodeRequest } from '../../src/fuse/wire/request-frame.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { createMemoryFilesystem } from './memory-filesystem.ts';

function harness() {
  const memory = makeFrameRing();
  keepFrames(memory, true);
  const inner = createMemoryChannel();
  const channel = recordFrames(inner, memory);
  const filesystem = createMemoryFilesystem(
    [
      { path: '', kind: 'directory' },
      { path: 'file', kind: 'file', content: new Uint8Array(5000) },
      { path: 'slow', kind: 'file', content: new Uint8Array(5000), waits: true },
    ],
    { waiting: () => {} },
  );
  const session = createFuseSession(
    { channel, filesystem, logger: silentLogger, poll: () => {}, agreed: () => {} },
    { passthrough: false },
  );
  return { memory, inner, channel, session };
}

describe('a ring of frames', () => {
  it('tells requests and replies in order, late ones by another channel too', () => {
    const { memory, inner, session } = harness();
    inner.feed(encodeRequest(operation('LOOKUP'), { unique: 2, node: 1 }, {}, [Buffer.from('none')]));
    inner.feed(encodeRequest(operation('MKDIR'), { unique: 4, node: 1 }, {}, [Buffer.from('new')]));
    inner.feed(encodeRequest(operation('READ'), { unique: 6, node: 2 }, { size: 4096 }));
    inner.feed(encodeRequest(operation('READ'), { unique: 8, node: 3 }, { size: 4096 }));
    session.serve();
    createDeferredReplies(recordFrames(inner, memory)).bytes({ high: 0, low: 8 }, new Uint8Array(4096));
    const lines = traceFrames(memory);
    expect(lines.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
      'LOOKUP unique=2 node=1 uid=0',
      '-> unique=2 ok node=0',
      'MKDIR unique=4 node=1 uid=0',
      '-> unique=4 EROFS',
      'READ unique=6 node=2 uid=0',
      '-> unique=6 ok +4096',
      'READ unique=8 node=3 uid=0',
      '-> unique=8 ok +4096',
    ]);
  });

  it('keeps none unless it is told to', () => {
    const { memory, inner, session } = harness();
    for (const on of [false, true, false]) {
      keepFrames(memory, on);
      inner.feed(encodeRequest(operation('STATFS'), { unique: on ? 4 : 2, node: 1 }));
      session.serve();
    }
    expect(traceFrames(memory).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'STATFS unique=4 node=1',
      '-> unique=4 ok',
    ]);
  });

  it('keeps the last ones', () => {
    const { memory, inner, session } = harness();
    for (let n = 1; n <= 1000; n++)
      inner.feed(encodeRequest(operation('STATFS'), { unique: n * 2, node: 1 }));
    session.serve();
    const lines = traceFrames(memory);
    expect(lines).toHaveLength(256);
    expect(lines.at(-1)).toMatch(/^-> unique=2000 ok blocks=1000 /);
    expect(lines[0]).toMatch(/^STATFS unique=1746 /);
  });

  it('is empty before the first frame, and says what it can of a long one', () => {
    const { memory, inner, session } = harness();
    expect(traceFrames(memory)).toEqual([]);
    const rest = new Uint8Array(16 * 1000);
    inner.feed(encodeRequest(operation('BATCH_FORGET'), { unique: 2 }, { count: 1000 }, [], rest));
    session.serve();
    expect(traceFrames(memory)).toEqual([
      'BATCH_FORGET unique=2 node=0 uid=0 gid=0 pid=0 count=1000 +16000 bytes',
    ]);
  });
});
