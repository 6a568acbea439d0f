/** The part of sodium-native (which brings no types) that the network uses. */
declare module 'sodium-native' {
  const sodium: {
    readonly crypto_stream_xor_STATEBYTES: number;
    crypto_stream_xor_init(state: Uint8Array, nonce: Uint8Array, key: Uint8Array): void;
    crypto_stream_xor_update(state: Uint8Array, target: Uint8Array, source: Uint8Array): void;
  };
  export default sodium;
}
