import { CID } from 'multiformats/cid';
import { create as multihash } from 'multiformats/hashes/digest';
import { DAG_PB_CODEC, RAW_CODEC, SHA2_256 } from '../image/dag/file-dag.ts';

/** Codec byte and 32 bytes of sha2-256: the key of objects and blocks. */
export const BLOCK_KEY_LENGTH = 33;

/** `undefined` for a CID that can never be here: another hash or codec. CIDv0 and v1 of one node share their key. */
export function blockKey(cid: CID): Buffer | undefined {
  const { code, multihash: hash } = cid;
  if (hash.code !== SHA2_256 || hash.digest.length !== 32) return undefined;
  if (code !== RAW_CODEC && code !== DAG_PB_CODEC) return undefined;
  const key = Buffer.allocUnsafe(BLOCK_KEY_LENGTH);
  key[0] = code;
  key.set(hash.digest, 1);
  return key;
}

/** The CIDv1 behind a key. Keeps a view of `key`. */
export function cidOfKey(key: Buffer): CID {
  return CID.createV1(key[0] as number, multihash(SHA2_256, key.subarray(1, BLOCK_KEY_LENGTH)));
}

/** A key as a map key: one character a byte. */
export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
