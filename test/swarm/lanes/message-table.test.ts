import fc from 'fast-check';
import { Fault } from '../../../src/base/fault.ts';
import { writeVarint } from '../../../src/base/varint.ts';
import { FrameReader } from '../../../src/swarm/lanes/frame-reader.ts';
import { encodeMessage, MESSAGE_ROWS, rowOf } from '../../../src/swarm/lanes/message-table.ts';
import type { Message, MessageType } from '../../../src/swarm/lanes/messages.ts';
import { SAMPLES } from './message-samples.ts';

function wire(message: Message): Buffer {
  const frame = encodeMessage(message);
  return 'payload' in message ? Buffer.concat([frame, message.payload]) : frame;
}

function read(side: 'wanter' | 'server', chunks: Uint8Array[]): Message[] {
  const reader = new FrameReader(side);
  const messages: Message[] = [];
  for (const chunk of chunks) reader.push(chunk, (message) => messages.push(plain(message)));
  expect(reader.cut).toBe(false);
  return messages;
}

/** Typed arrays of one kind, so that values compare by their bytes. */
function plain<T>(value: T): T {
  if (value instanceof Uint8Array) return new Uint8Array(value) as T;
  if (Array.isArray(value)) return value.map(plain) as T;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)])) as T;
  }
  return value;
}

const sender = (type: MessageType): 'wanter' | 'server' =>
  rowOf(type).from === 'wanter' ? 'wanter' : 'server';

describe('the table of messages', () => {
  it('has a row for each message, in the order of its codes', () => {
    expect(MESSAGE_ROWS.map((row) => row.code)).toEqual(MESSAGE_ROWS.map((_, i) => i));
    expect(new Set(MESSAGE_ROWS.map((row) => row.type))).toEqual(new Set(Object.keys(SAMPLES)));
  });

  it.each(MESSAGE_ROWS.map((row) => row.type))('gives back any %s that it wrote', (type) => {
    fc.assert(
      fc.property(SAMPLES[type], (message) => {
        expect(read(sender(type), [wire(message)])).toEqual([plain(message)]);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [{ type: 'hello', version: 1, features: 0 }, '03000100'],
    [{ type: 'ping', nonce: 300 }, '0301ac02'],
    [{ type: 'credit', limit: 1_048_576 }, '0403808040'],
    [
      {
        type: 'want',
        firstId: 7,
        wantClass: 'demand',
        level: 3,
        codecs: Uint8Array.of(0x55),
        digests: new Uint8Array(32).fill(0xab),
      },
      `2604070003${'01'}55${'ab'.repeat(32)}`,
    ],
    [{ type: 'cancel', ids: [1, 200] }, '05050201c801'],
    [{ type: 'reclass', wantClass: 'profile', ids: [9] }, '0406010109'],
    [
      { type: 'blocks', ids: [7, 8], lengths: [2, 1], zstd: false, payload: Buffer.from('abc') },
      '0a070002070802 01616263'.replace(' ', ''),
    ],
    [{ type: 'missing', ids: [7] }, '03080107'],
    [{ type: 'have', root: Uint8Array.of(1, 2), holding: 'all' }, '051002010201'],
    [{ type: 'have-delta', root: Uint8Array.of(1), runs: [3, 2, 10, 1] }, '08110101020302' + '0501'],
  ] as [Message, string][])('writes %j as it always did', (message, hex) => {
    expect(wire(message).toString('hex')).toBe(hex);
  });
});

describe('a frame reader', () => {
  const many = fc.array(
    fc.oneof(...MESSAGE_ROWS.filter((row) => row.from !== 'wanter').map((row) => SAMPLES[row.type])),
    { maxLength: 12 },
  );

  it('reads the same messages however the bytes are cut', () => {
    fc.assert(
      fc.property(many, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(wire));
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = cuts[i % cuts.length]!;
          chunks.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect(read('server', chunks)).toEqual(messages.map(plain));
      }),
      { numRuns: 150 },
    );
  });

  it('answers any other bytes with a violation or waits for more, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom('wanter', 'server'), (bytes, side) => {
        const reader = new FrameReader(side as 'wanter');
        try {
          reader.push(bytes, () => {});
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
          expect((thrown as Fault).kind).toBe('invalid');
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('survives any changed byte of any message', () => {
    const any = fc.oneof(...Object.values(SAMPLES));
    fc.assert(
      fc.property(any, fc.nat(), fc.nat(255), (message, at, value) => {
        const bytes = wire(message);
        bytes[at % bytes.length] = value;
        const reader = new FrameReader(sender(message.type));
        try {
          reader.push(bytes, () => {});
        } catch (thrown) {
          expect((thrown as Fault).kind).toBe('invalid');
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each(MESSAGE_ROWS.map((row) => [row.type, row.code, row.maxBytes] as const))(
    'refuses a %s longer than its row allows before the rest comes',
    (type, code, maxBytes) => {
      const head = new Uint8Array(10);
      const at = writeVarint(head, 0, maxBytes + 1);
      head[at] = code;
      const push = () => new FrameReader(sender(type)).push(head.subarray(0, at + 1), () => {});
      expect(push).toThrow(expect.objectContaining({ code: 'lane-violation' }));
    },
  );

  it.each(
    MESSAGE_ROWS.filter((row) => row.from !== 'both').map((row) => [row.type, row.code, row.from] as const),
  )('refuses a %s from the side that may not send it', (_type, code, from) => {
    const reader = new FrameReader(from === 'wanter' ? 'server' : 'wanter');
    expect(() => reader.push(Uint8Array.of(2, code, 0), () => {})).toThrow(/wrong side/);
  });

  it('refuses an empty frame, a code without a row, and a length that does not end', () => {
    for (const bytes of [[0], [0, 0], [1, 99], [255, 255, 255, 255, 255, 255]]) {
      expect(() => new FrameReader('server').push(Uint8Array.from(bytes), () => {})).toThrow(
        expect.objectContaining({ code: 'lane-violation' }),
      );
    }
  });

  it('knows that it stopped inside a frame', () => {
    const reader = new FrameReader('server');
    const bytes = wire({ type: 'pong', nonce: 5 });
    reader.push(bytes.subarray(0, 2), () => {});
    expect(reader.cut).toBe(true);
    reader.push(bytes.subarray(2), () => {});
    expect(reader.cut).toBe(false);
  });
});
