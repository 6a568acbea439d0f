import { encode } from 'cborg';
import fc from 'fast-check';
import { digestOfBytes } from '../../../src/base/digest.ts';
import { Fault } from '../../../src/base/fault.ts';
import { makeIdentity } from '../../../src/config/identity-file.ts';
import type { Catalogue } from '../../../src/swarm/catalogue/catalogue.ts';
import { decodeCatalogue, encodeCatalogue } from '../../../src/swarm/catalogue/catalogue-codec.ts';
import { openCatalogue, signCatalogue } from '../../../src/swarm/catalogue/signed-catalogue.ts';
import { decodeCbor, encodeCbor } from '../../../src/swarm/network/cbor-value.ts';

const ROOT = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const OTHER = 'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n';
const digest = fc.uint8Array({ maxLength: 8 }).map(digestOfBytes);
const cid = fc.constantFrom(ROOT, OTHER);
const text = fc.string({ maxLength: 40 });
const catalogue: fc.Arbitrary<Catalogue> = fc.record({
  peer: text,
  version: fc.nat(),
  images: fc.array(
    fc.record(
      {
        root: cid,
        indexDigest: digest,
        manifests: fc.array(fc.record({ root: cid, digest, imageId: digest, platform: text }), {
          maxLength: 3,
        }),
        names: fc.array(text, { maxLength: 3 }),
        publishedRoots: fc.array(cid, { maxLength: 2 }),
        keptBlobs: fc.array(fc.record({ digest, cid, size: fc.maxSafeNat(), mediaType: text }), {
          maxLength: 2,
        }),
        profiles: fc.array(fc.record({ root: cid, profile: cid, size: fc.nat(65_536) }), {
          minLength: 1,
          maxLength: 2,
        }),
        createdAt: fc.maxSafeNat(),
        origin: text,
      },
      { requiredKeys: ['root', 'manifests', 'names', 'publishedRoots', 'keptBlobs', 'createdAt', 'origin'] },
    ),
    { maxLength: 4 },
  ),
  bindings: fc.array(
    fc.record({
      diffId: digest,
      root: cid,
      tarSize: fc.maxSafeNat(),
      blobs: fc.array(digest, { maxLength: 3 }),
    }),
    { maxLength: 4 },
  ),
});
const empty = (peer: string): Catalogue => ({ peer, version: 1, images: [], bindings: [] });

describe('catalogue codec', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(catalogue, (value) => expect(decodeCatalogue(encodeCatalogue(value))).toEqual(value)),
    );
  });

  it('refuses a profile that is larger than any is', () => {
    const image = {
      root: ROOT,
      manifests: [],
      names: [],
      publishedRoots: [],
      keptBlobs: [],
      createdAt: 1,
      origin: 'push',
    };
    const of = (size: number): Catalogue => ({
      ...empty('me'),
      images: [{ ...image, profiles: [{ root: ROOT, profile: ROOT, size }] }],
    });
    expect(decodeCatalogue(encodeCatalogue(of(65_536)))).toEqual(of(65_536));
    expect(() => decodeCatalogue(encodeCatalogue(of(65_537)))).toThrow(
      expect.objectContaining({ kind: 'corrupt', code: 'bad-cbor' }),
    );
    const many = { ...of(1).images[0]!, profiles: Array(65).fill(of(1).images[0]!.profiles![0]) };
    expect(() => decodeCatalogue(encodeCatalogue({ ...empty('me'), images: [many] }))).toThrow(Fault);
  });

  it('has fixed bytes, which stations of all versions exchange', () => {
    const digestOf = (byte: string) => `sha256:${byte.repeat(32)}` as const;
    const value: Catalogue = {
      peer: 'me',
      version: 3,
      images: [
        {
          root: ROOT,
          manifests: [
            { root: ROOT, digest: digestOf('aa'), imageId: digestOf('bb'), platform: 'linux/amd64' },
          ],
          names: ['app'],
          publishedRoots: [],
          keptBlobs: [],
          createdAt: 5,
          origin: 'push',
        },
      ],
      bindings: [{ diffId: digestOf('cc'), root: ROOT, tarSize: 7, blobs: [] }],
    };
    expect(Buffer.from(encodeCatalogue(value)).toString('hex')).toBe(
      'a56470656572626d6566666f726d61740166696d6167657381a7646b6570748064726f6f74582401551220e3' +
        'b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855656e616d65738163617070666f' +
        '726967696e6470757368676372656174656405696d616e69666573747381a46269645820bbbbbbbbbbbbbbbb' +
        'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb64726f6f74582401551220e3b0c44298fc1c149a' +
        'fbf4c8996fb92427ae41e4649b934ca495991b7852b855666469676573745820aaaaaaaaaaaaaaaaaaaaaaaa' +
        'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa68706c6174666f726d6b6c696e75782f616d643634697075' +
        '626c6973686564806776657273696f6e036862696e64696e677381a464646966665820cccccccccccccccccc' +
        'cccccccccccccccccccccccccccccccccccccccccccccc64726f6f74582401551220e3b0c44298fc1c149afb' +
        'f4c8996fb92427ae41e4649b934ca495991b7852b8556473697a650765626c6f627380',
    );
  });

  it('throws its own fault at any other bytes', () => {
    const [good] = fc.sample(catalogue, { numRuns: 1, seed: 42 }).map(encodeCatalogue) as [Uint8Array];
    const flipped = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] as number) ^ mask;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), flipped), (bytes) => {
        try {
          decodeCatalogue(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['another format', { format: 2, peer: '', version: 1, images: [], bindings: [] }],
    ['a negative version', { format: 1, peer: '', version: -1, images: [], bindings: [] }],
    ['too many images', { format: 1, peer: '', version: 1, images: Array(20_001).fill(0), bindings: [] }],
    ['an escape sequence', { format: 1, peer: '\u001b[2J', version: 1, images: [], bindings: [] }],
    ['no bindings', { format: 1, peer: '', version: 1, images: [] }],
    [
      'a short digest',
      { format: 1, peer: '', version: 1, images: [], bindings: [{ diff: Buffer.alloc(31) }] },
    ],
  ])('refuses %s', (_name, value) => {
    expect(() => decodeCatalogue(encode(value))).toThrow(expect.objectContaining({ code: 'bad-cbor' }));
  });
});

describe('signed catalogue', () => {
  const { peerId, privateKey } = makeIdentity();

  it('opens for the peer that signed it', async () => {
    const signed = await signCatalogue(empty(peerId), privateKey);
    expect(await openCatalogue(signed, peerId)).toEqual(empty(peerId));
  });

  it('does not open with any byte changed', async () => {
    const signed = Buffer.from(await signCatalogue(empty(peerId), privateKey));
    for (let at = 0; at < signed.length; at++) {
      const tampered = Buffer.from(signed);
      tampered[at] = (tampered[at] as number) ^ 1;
      await expect(openCatalogue(tampered, peerId)).rejects.toMatchObject({
        kind: 'corrupt',
        code: 'bad-catalogue',
        fields: { peer: peerId },
      });
    }
  });

  it('does not open for another peer, nor when it speaks for one', async () => {
    const other = makeIdentity();
    const signed = await signCatalogue(empty(peerId), privateKey);
    await expect(openCatalogue(signed, other.peerId)).rejects.toMatchObject({ code: 'bad-catalogue' });
    const forged = await signCatalogue(empty(other.peerId), privateKey);
    await expect(openCatalogue(forged, peerId)).rejects.toMatchObject({
      message: expect.stringContaining('speaks for'),
    });
  });

  it('does not take the signature of something else', async () => {
    const signed = decodeCbor(await signCatalogue(empty(peerId), privateKey), 'test');
    const later = encodeCbor({
      payload: encodeCatalogue({ ...empty(peerId), version: 2 }),
      signature: signed.field('signature').bytes(100),
    });
    await expect(openCatalogue(later, peerId)).rejects.toMatchObject({
      message: expect.stringContaining('signature'),
    });
  });
});
