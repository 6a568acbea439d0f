import sodium from 'sodium-native';

/** One direction of libp2p's PSK protocol: XSalsa20 over the whole connection, as one stream. */
export interface SalsaStream {
  /** XORs `source` into `target` (the same length; may be the same bytes) and moves on in the key stream. */
  update(target: Uint8Array, source: Uint8Array): void;
}

export const SALSA_NONCE_BYTES = 24;

/**
 * @param nonce 24 bytes
 * @param key 32 bytes
 */
export function createSalsaStream(nonce: Uint8Array, key: Uint8Array): SalsaStream {
  const state = Buffer.alloc(sodium.crypto_stream_xor_STATEBYTES);
  sodium.crypto_stream_xor_init(state, Buffer.from(nonce), Buffer.from(key));
  return {
    update: (target, source) => {
      if (source.length > 0) sodium.crypto_stream_xor_update(state, target, source);
    },
  };
}
