import fc from 'fast-check';
import { negotiate } from '../../src/fuse/negotiate.ts';
import { parseSessionTerms } from '../../src/fuse/session-terms.ts';
import { decodeInit, encodeInit, type InitRequest } from '../../src/fuse/wire/init.ts';
import { INIT_FLAGS, INIT_FLAGS2 } from '../../src/fuse/wire/init-flags.ts';
import { readStruct } from '../../src/fuse/wire/layout.ts';
import { INIT_OUT } from '../../src/fuse/wire/reply-layouts.ts';

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const offer = (more: Partial<InitRequest> = {}): InitRequest => ({
  major: 7,
  minor: 45,
  maxReadahead: 131_072,
  flags: 0xffff_ffff,
  flags2: 0xffff_ffff,
  ...more,
});
const agree = (more: Partial<InitRequest> = {}, passthrough = true) => {
  const outcome = negotiate(offer(more), { passthrough });
  if (outcome.kind !== 'agreed') throw new Error(outcome.kind);
  return outcome;
};

describe('negotiation', () => {
  it('takes passthrough and resend of a new kernel', () => {
    const { terms, reply } = agree();
    expect(terms).toMatchObject({
      minor: 45,
      passthrough: true,
      resend: true,
      noOpendir: true,
      maxPages: 256,
    });
    // more than none, or the kernel takes no backing files; less than 2, or no overlay can lie on top
    expect(reply.maxStackDepth).toBe(1);
  });

  it('asks for no passthrough where it is not wanted', () => {
    const { terms, reply } = agree({}, false);
    expect(terms).toMatchObject({ passthrough: false, resend: true });
    expect(reply.maxStackDepth).toBe(0);
  });

  it('goes down with an old kernel', () => {
    const { terms } = agree({ minor: 31, flags: INIT_FLAGS.ASYNC_READ, flags2: 0 });
    expect(terms).toMatchObject({
      minor: 31,
      passthrough: false,
      resend: false,
      noOpendir: false,
      maxPages: 32,
    });
  });

  it('reads no flags2 without INIT_EXT', () => {
    expect(agree({ flags: 0xffff_ffff & ~INIT_FLAGS.INIT_EXT }).terms.flags2).toBe(0);
  });

  it('lets more requests wait in the background than the mount server lets wait for peers', () => {
    expect(agree().reply.maxBackground).toBeGreaterThan(4096);
  });

  it.each([
    ['again', 8, 0],
    ['too-old', 6, 99],
    ['too-old', 7, 30],
    ['agreed', 7, 31],
    ['agreed', 7, 99],
  ])('answers %s to %i.%i', (kind, major, minor) => {
    expect(negotiate(offer({ major, minor }), { passthrough: true }).kind).toBe(kind);
  });

  it('never agrees on what the kernel did not offer, nor on what changes who checks or keeps writes', () => {
    fc.assert(
      fc.property(
        u32,
        u32,
        fc.integer({ min: 31, max: 200 }),
        fc.boolean(),
        (flags, flags2, minor, passthrough) => {
          const { terms, reply } = agree({ flags, flags2, minor }, passthrough);
          expect(terms.flags & ~flags).toBe(0);
          expect(terms.flags2 & ~flags2).toBe(0);
          expect(reply.minor).toBeLessThanOrEqual(minor);
          const unwanted = (1 << 1) | (1 << 10) | (1 << 12) | (1 << 16) | (1 << 17);
          expect(terms.flags & unwanted).toBe(0);
          expect(parseSessionTerms(JSON.parse(JSON.stringify(terms)))).toEqual(terms);
        },
      ),
    );
  });

  it('says what it agreed on in 64 bytes', () => {
    const { reply } = agree();
    const body = new DataView(new ArrayBuffer(INIT_OUT.size));
    encodeInit(reply, body, 0);
    expect(body.byteLength).toBe(64);
    expect(readStruct(INIT_OUT, body)).toMatchObject({ ...reply });
  });

  it('reads an INIT from before flags2', () => {
    const body = new DataView(new ArrayBuffer(16));
    body.setUint32(0, 7, true);
    body.setUint32(4, 31, true);
    expect(decodeInit(body)).toEqual({ major: 7, minor: 31, maxReadahead: 0, flags: 0, flags2: 0 });
  });
});

describe('kept terms', () => {
  it.each([
    null,
    undefined,
    7,
    'x',
    {},
    { ...agree().terms, flags: -1 },
    { ...agree().terms, maxPages: 1.5 },
    { ...agree().terms, resend: 1 },
    { ...agree().terms, flags2: 2 ** 32 },
  ])('are not read from %j', (value) => {
    expect(() => parseSessionTerms(value)).toThrow(
      expect.objectContaining({ kind: 'corrupt', code: 'bad-session-terms' }),
    );
  });

  it('lose what does not belong to them', () => {
    expect(parseSessionTerms({ ...agree().terms, more: 1 })).toEqual(agree().terms);
  });
});

it('knows both words of flags apart', () => {
  for (const flag of [...Object.values(INIT_FLAGS), ...Object.values(INIT_FLAGS2)]) {
    expect(flag >>> 0).toBeGreaterThan(0);
    expect((flag & (flag - 1)) >>> 0).toBe(0);
  }
});
