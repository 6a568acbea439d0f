import type { Digest } from '../base/digest.ts';

/**
 * The claim that a diffID is a certain layer root. Only claims that are valid everywhere are kept here: computed on
 * this station from the bytes, or signed by an explicitly trusted station. A claim that stands below a pulled root
 * is valid for that root only and never enters (docs/dag-format.md, "Bindings").
 */
export interface Binding {
  readonly diffId: Digest;
  /** CID of the layer root. */
  readonly root: string;
  /** Bytes of the uncompressed tar. */
  readonly tarSize: number;
  /** `here`, or the peer id of the signer. */
  readonly source: string;
}

export interface Bindings {
  get(diffId: Digest): Binding | undefined;
  /** One computed here replaces one that was signed; never the reverse. */
  put(binding: Binding): Promise<void>;
  /** Digest of a blob -> diffID, only where the blob was read here. */
  diffIdOf(blob: Digest): Digest | undefined;
  putBlob(blob: Digest, diffId: Digest): Promise<void>;
  /** Forgets all that `peer` signed. */
  dropSource(peer: string): Promise<void>;
}
