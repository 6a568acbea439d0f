import { CHUNK_SIZE } from '../image/dag/file-dag.ts';
import type { LayerIndex } from '../image/layer/layer-index.ts';

/** RFC 4648 base32 in lower case, without padding: multibase `b`. */
const ALPHABET = Buffer.from('abcdefghijklmnopqrstuvwxyz234567', 'latin1');
/** CIDv1, codec, sha2-256 of 32 bytes. */
const CID_LENGTH = 36;
const CODEC = 1;
const RAW = 0x55;
const DAG_PB = 0x70;
const TEXT_LENGTH = 1 + Math.ceil((CID_LENGTH * 8) / 5);

/** @returns the text of `index.objectCid(object)`, which is the name of its file */
export type ObjectName = (index: LayerIndex, object: number) => string;

/** An open asks for a name: by way of a CID it takes 5 us, with the memory of one namer 0.6 us. */
export function createObjectNamer(): ObjectName {
  const cid = new Uint8Array(CID_LENGTH);
  cid.set([1, RAW, 0x12, 32]);
  const text = Buffer.alloc(TEXT_LENGTH, 'b');
  return (index, object) => {
    cid[CODEC] = index.objectSize(object) <= CHUNK_SIZE ? RAW : DAG_PB;
    cid.set(index.objectDigest(object), 4);
    let bits = 0;
    let held = 0;
    let at = 1;
    for (let byte = 0; byte < CID_LENGTH; byte++) {
      held = ((held << 8) | (cid[byte] as number)) & 0xfff;
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        text[at++] = ALPHABET[(held >>> bits) & 31] as number;
      }
    }
    text[at] = ALPHABET[(held << (5 - bits)) & 31] as number;
    return text.toString('latin1');
  };
}
