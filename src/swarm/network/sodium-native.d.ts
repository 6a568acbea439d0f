/** The part of sodium-native (which brings no types) that the network uses. */
declare module 'sodium-native' {
  const sodium: {
    readonly crypto_stream_xor_STATEBYTES: number;
    crypto_stream_xor_init(state: Uint8Array, nonce: Uint8Array, key: Uint8Array): void;
    crypto_stream_xor_update(state: Uint8Array, target: Uint8Array, source: Uint8Array): void;
    /** `sealed` may lie over `plain`. */
    crypto_aead_chacha20poly1305_ietf_encrypt(
      sealed: Uint8Array,
      plain: Uint8Array,
      ad: Uint8Array | null,
      secretNonce: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Throws where the tag does not fit. */
    crypto_aead_chacha20poly1305_ietf_decrypt(
      plain: Uint8Array,
      secretNonce: null,
      sealed: Uint8Array,
      ad: Uint8Array | null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
  };
  export default sodium;
}
