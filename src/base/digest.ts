import { createHash, hash } from 'node:crypto';
import { Fault } from './fault.ts';

/** `sha256:<64 hex>`, the form registries, engines and the OCI image spec use (descriptor.md, "Digests"). */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** @throws Fault `invalid/bad-digest` when `text` is not a canonical sha256 digest. */
export function parseDigest(text: string): Digest {
  if (!DIGEST.test(text)) {
    throw new Fault('invalid', 'bad-digest', `not a sha256 digest: ${JSON.stringify(text)}`, {
      fields: { digest: text },
    });
  }
  return text as Digest;
}

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** @param hash the 32 bytes of a sha2-256 */
export function digestOf(hash: Uint8Array): Digest {
  return `sha256:${Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex')}`;
}

/** The 64 hex digits behind `sha256:`. */
export function digestHex(digest: Digest): string {
  return digest.slice(7);
}

export function digestBytes(digest: Digest): Buffer {
  return Buffer.from(digest.slice(7), 'hex');
}

/** One-shot sha2-256 by node:crypto (1.6 GB/s here, 8 % more than by a Hash; webcrypto gives 129 MB/s at 4 KiB). */
export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

export function digestOfBytes(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
