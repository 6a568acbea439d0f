import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto';
import fc from 'fast-check';
import { Uint8ArrayList } from 'uint8arraylist';
import { noiseCrypto } from '../../../src/swarm/network/noise-crypto.ts';

const bytes = (length: { min: number; max: number }) =>
  fc.uint8Array({ minLength: length.min, maxLength: length.max });
const message = fc.record({
  pieces: fc.array(bytes({ min: 0, max: 3000 }), { maxLength: 4 }),
  nonce: bytes({ min: 12, max: 12 }),
  ad: bytes({ min: 0, max: 40 }),
  key: bytes({ min: 32, max: 32 }),
});
/** noise brings a uint8arraylist of its own. */
type List = Parameters<typeof noiseCrypto.chaCha20Poly1305Encrypt>[0];
const listOf = (pieces: readonly Uint8Array[]) => new Uint8ArrayList(...pieces) as unknown as List;
const plain = (text: List) => Buffer.from(text.subarray());

describe('the cipher of noise', () => {
  it('seals as the default one does, whole or in pieces', () => {
    fc.assert(
      fc.property(message, ({ pieces, nonce, ad, key }) => {
        const whole = Buffer.concat(pieces);
        const expected = plain(defaultCrypto.chaCha20Poly1305Encrypt(whole, nonce, ad, key));
        expect(plain(noiseCrypto.chaCha20Poly1305Encrypt(whole, nonce, ad, key))).toEqual(expected);
        const list = listOf(pieces);
        expect(plain(noiseCrypto.chaCha20Poly1305Encrypt(list, nonce, ad, key))).toEqual(expected);
      }),
    );
  });

  it('opens what the default one sealed, and leaves the sealed bytes where it was given no target', () => {
    fc.assert(
      fc.property(message, ({ pieces, nonce, ad, key }) => {
        const whole = Buffer.concat(pieces);
        const sealed = plain(defaultCrypto.chaCha20Poly1305Encrypt(whole, nonce, ad, key));
        const before = Buffer.from(sealed);
        expect(plain(noiseCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, key))).toEqual(whole);
        expect(sealed).toEqual(before);
        const cut = Math.floor(sealed.length / 2);
        const list = listOf([Buffer.from(sealed.subarray(0, cut)), Buffer.from(sealed.subarray(cut))]);
        const target = Buffer.alloc(whole.length);
        expect(plain(noiseCrypto.chaCha20Poly1305Decrypt(list, nonce, ad, key, target))).toEqual(whole);
      }),
    );
  });

  it('refuses what was changed or cut', () => {
    fc.assert(
      fc.property(message, fc.nat(), ({ pieces, nonce, ad, key }, at) => {
        const sealed = plain(noiseCrypto.chaCha20Poly1305Encrypt(Buffer.concat(pieces), nonce, ad, key));
        const changed = Buffer.from(sealed);
        changed[at % changed.length]! ^= 1;
        expect(() => noiseCrypto.chaCha20Poly1305Decrypt(changed, nonce, ad, key)).toThrow();
        const short = sealed.subarray(0, at % sealed.length);
        expect(() => noiseCrypto.chaCha20Poly1305Decrypt(short, nonce, ad, key)).toThrow();
      }),
    );
  });
});
