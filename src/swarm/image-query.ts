import type { CID } from 'multiformats/cid';
import type { Digest } from '../base/digest.ts';
import type { KeptBlob } from '../store/image-records.ts';
import type { CatalogueProfile } from './catalogue/catalogue.ts';

/** What a user may give to `pull`, parsed. */
export type ImageQuery =
  | { readonly kind: 'cid'; readonly cid: CID; readonly path: readonly string[] }
  | { readonly kind: 'ipns'; readonly peer: string; readonly name: string }
  /** Hex digits of an image ID, manifest or index digest; at least 6, 12 as the screens print. */
  | { readonly kind: 'id'; readonly prefix: string }
  | { readonly kind: 'name'; readonly name: string };

export interface Resolution {
  /** Of a CID that is not known here: the CID itself, with `path` still to be walked. */
  readonly imageRoot: CID;
  /** The published root by which the line of the pull names it. */
  readonly publishedRoot?: CID;
  /** The path below the published root, e.g. `c1d9bf8d8844` or `jbenet/go-ipfs`. */
  readonly path: readonly string[];
  /**
   * The full digest that an id stood for, which must be one of the image that is then fetched; for a name the image ID.
   */
  readonly digest?: Digest;
  /** This station, an explicitly trusted one, or a name whose answer is allowed by `names.trustMembers`; a CID always. */
  readonly trusted: boolean;
  /** Peers that answered with this root, best first: where to ask for the tree. Empty: it is here, or any may have it. */
  readonly peers: readonly string[];
  readonly names: readonly string[];
  readonly keptBlobs: readonly KeptBlob[];
  /** Start-up profiles that those who answered name: a hint, which anybody may give. */
  readonly profiles: readonly CatalogueProfile[];
}

/** An image of which no more is known than how it is called below its published root: an id, or a name. */
export interface NamedImage {
  readonly name: string;
}

/** An image of this station, as others are asked for it. */
export interface HeldImage {
  /** An image ID, manifest or index digest. */
  readonly digest: Digest;
  /** Text of the image root's CID. */
  readonly root: string;
}
