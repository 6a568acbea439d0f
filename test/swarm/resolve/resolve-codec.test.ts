import { encode } from 'cborg';
import fc from 'fast-check';
import { digestOfBytes } from '../../../src/base/digest.ts';
import { Fault } from '../../../src/base/fault.ts';
import {
  decodeAnswers,
  decodeQuestion,
  encodeAnswers,
  encodeQuestion,
  type ResolveAnswer,
} from '../../../src/swarm/resolve/resolve-codec.ts';

const ROOT = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const digest = fc.uint8Array({ maxLength: 8 }).map(digestOfBytes);
const text = fc.string({ maxLength: 64 });
const answer: fc.Arbitrary<ResolveAnswer> = fc.record(
  {
    digest,
    root: fc.constant(ROOT),
    publishedRoot: fc.constant(ROOT),
    path: fc.array(text, { maxLength: 4 }),
    names: fc.array(text, { maxLength: 4 }),
    keptBlobs: fc.array(fc.record({ digest, cid: fc.constant(ROOT), size: fc.nat(), mediaType: text }), {
      maxLength: 3,
    }),
    profiles: fc.array(
      fc.record({ root: fc.constant(ROOT), profile: fc.constant(ROOT), size: fc.nat(65_536) }),
      { minLength: 1, maxLength: 2 },
    ),
    proof: fc.uint8Array({ maxLength: 64 }),
  },
  { requiredKeys: ['digest', 'root', 'path', 'names', 'keptBlobs'] },
);

describe('resolve codec', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 5 }), (answers) => {
        expect(decodeAnswers(encodeAnswers(answers))).toEqual(answers);
      }),
    );
    for (const question of [
      { kind: 'id', prefix: 'c1d9bf8d8844' },
      { kind: 'name', name: 'jbenet/go-ipfs:latest' },
    ] as const) {
      expect(decodeQuestion(encodeQuestion(question))).toEqual(question);
    }
  });

  it('has fixed bytes, which stations of all versions exchange', () => {
    expect(Buffer.from(encodeQuestion({ kind: 'id', prefix: 'c1d9bf8d8844' })).toString('hex')).toBe(
      'a16269646c633164396266386438383434',
    );
    const value: ResolveAnswer = {
      digest: `sha256:${'aa'.repeat(32)}`,
      root: ROOT,
      path: ['app'],
      names: ['app'],
      keptBlobs: [],
      proof: Buffer.from('{}'),
    };
    expect(Buffer.from(encodeAnswers([value])).toString('hex')).toBe(
      'a167616e737765727381a6646b657074806470617468816361707064726f6f74582401551220e3b0c44298fc' +
        '1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855656e616d657381636170706570726f6f6642' +
        '7b7d666469676573745820aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    );
  });

  it('throws its own fault at any other bytes', () => {
    const good = encodeAnswers([
      { digest: digestOfBytes(Buffer.alloc(1)), root: ROOT, path: ['a'], names: ['a'], keptBlobs: [] },
    ]);
    const cut = fc.nat(good.length - 1).map((length) => good.subarray(0, length));
    const flipped = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] as number) ^ mask;
      return bytes;
    });
    for (const decode of [decodeAnswers, decodeQuestion]) {
      fc.assert(
        fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), cut, flipped), (bytes) => {
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(Fault);
          }
        }),
        { numRuns: 1000 },
      );
    }
  });

  it.each([
    ['nesting without end', Buffer.alloc(1_000_000, 0x81)],
    ['a list that claims 2^32 items', Buffer.from('a167616e73776572739affffffff', 'hex')],
    ['bytes that claim 2^53', Buffer.from('a167616e73776572735b001fffffffffffff', 'hex')],
    ['too many answers', encode({ answers: Array(17).fill({}) })],
    ['an indefinite list', Buffer.from('a167616e73776572739fff', 'hex')],
    ['a key twice', Buffer.from('a267616e73776572738067616e737765727380', 'hex')],
    ['a list for a map', encode([])],
    ['bytes behind it', Buffer.concat([encode({ answers: [] }), Buffer.from([0])])],
    ['__proto__ for answers', encode(JSON.parse('{"__proto__": {"answers": []}}'))],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decodeAnswers(bytes)).toThrow(
      expect.objectContaining({ kind: 'corrupt', code: 'bad-cbor' }),
    );
  });

  it('refuses questions that are none', () => {
    for (const question of [{ id: 'xyz' }, { id: 'c1d9' }, { id: 5 }, { name: 'x'.repeat(600) }, {}]) {
      expect(() => decodeQuestion(encode(question))).toThrow(expect.objectContaining({ code: 'bad-cbor' }));
    }
  });
});
