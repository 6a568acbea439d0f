import fc from 'fast-check';
import { createMemoryChannel } from '../../src/fuse/memory-channel.ts';
import { createFuseSession } from '../../src/fuse/session.ts';
import { traceReply, traceRequest } from '../../src/fuse/trace.ts';
import { operationOf } from '../../src/fuse/wire/operations.ts';
import { decodeReply } from '../../src/fuse/wire/reply-frame.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { contractTree } from './contract-tree.ts';
import { readGoldenFrames } from './golden-frames.ts';
import { createMemoryFilesystem } from './memory-filesystem.ts';

const GOLDEN = readGoldenFrames().map(({ frame }) => frame);
const filesystem = createMemoryFilesystem(contractTree().filter(({ path }) => !path.startsWith('many/')));
const logged: string[] = [];
const logger = { ...silentLogger, error: (_: object, text: string) => void logged.push(text) };
const channel = createMemoryChannel();
const session = createFuseSession(
  { channel, filesystem, logger, poll: () => {}, agreed: () => {} },
  { passthrough: true },
);

/** Whatever comes in: the loop goes on, the filesystem is not made to fail, a reply is one that the kernel would take. */
function survives(frame: Uint8Array): void {
  logged.length = 0;
  channel.feed(frame);
  expect(session.serve()).toBe('ended');
  const replies = channel.take();
  expect(replies.length).toBeLessThanOrEqual(1);
  expect(typeof traceRequest(frame)).toBe('string');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  for (const reply of replies) {
    expect(new DataView(reply.buffer).getBigUint64(8, true)).toBe(view.getBigUint64(8, true));
    const row = operationOf(view.getUint32(4, true));
    if (row === undefined) expect(reply.length).toBe(16);
    else decodeReply(row, reply);
    expect(typeof traceReply(reply, row?.opcode)).toBe('string');
  }
  expect(logged.filter((text) => !text.includes('older than'))).toEqual([]);
}

/** A frame's own length in its header, so that it gets past the door. */
function whole(frame: Uint8Array): Uint8Array {
  if (frame.length >= 4) new DataView(frame.buffer, frame.byteOffset).setUint32(0, frame.length, true);
  return frame;
}

const golden = fc.nat(GOLDEN.length - 1).map((n) => GOLDEN[n]!);
/** Numbers at which parsers break. */
const odd = fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff);

describe('a FUSE session under hostile frames', () => {
  it('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, honest) => {
        survives(honest ? whole(bytes) : bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('survives requests with bytes changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(200), fc.oneof(odd, fc.nat(255))), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(golden, changes, (frame, edits) => {
        const changed = frame.slice();
        for (const [at, byte] of edits) changed[at % changed.length] = byte;
        survives(whole(changed));
      }),
      { numRuns: 5000 },
    );
  });

  it('survives requests cut short or made longer', () => {
    fc.assert(
      fc.property(golden, fc.nat(400), fc.uint8Array({ maxLength: 64 }), (frame, keep, more) => {
        const kept = frame.subarray(0, Math.min(keep, frame.length));
        const changed = new Uint8Array(kept.length + more.length);
        changed.set(kept);
        changed.set(more, kept.length);
        survives(whole(changed));
      }),
      { numRuns: 3000 },
    );
  });

  it('survives each request under each opcode', () => {
    for (const frame of GOLDEN)
      for (let opcode = 0; opcode < 66; opcode++) {
        const changed = frame.slice(0, 4096);
        new DataView(changed.buffer).setUint32(4, opcode, true);
        survives(whole(changed));
      }
  });
});
