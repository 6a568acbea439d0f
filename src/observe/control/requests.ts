import type { Digest } from '../../base/digest.ts';

/** What a command asks of a station: plain JSON data. */
export interface PushRequest {
  /** The source as given: `c1d9bf8d8844`, `jbenet/go-ipfs`, `./image.tar`, `oci:./layout`. */
  readonly argument: string;
  /** How `argument` names the image: decides the last part of the address (12 hex of the id that matches, the name). */
  readonly by: 'id' | 'name' | 'file';
  /** Every name the engine has for the image, and `--name`; empty: the archive's own RepoTags. */
  readonly names: readonly string[];
  /** The image ID or engine ID that the archive must hold; another one is `corrupt/wrong-image`. */
  readonly expectedId?: Digest;
  /** `os/arch[/variant]` or `all`; absent: all that the archive holds. */
  readonly platform?: string;
  /** Which image of an archive that holds several: a name, or a layout's tag. */
  readonly image?: string;
  /** Wait until so many other stations hold the image. */
  readonly copies?: number;
}

export interface PullRequest {
  /** `/ipfs/<cid>/…`, a CID, `/ipns/<peer>/<name>`, an id prefix, a name. */
  readonly reference: string;
  /** `os/arch[/variant]` or `all`; absent: this machine's. */
  readonly platform?: string;
  /** Ask this peer only, and take its answer. */
  readonly from?: string;
  /** Also bring the compressed blobs that peers kept, for an export with the original manifest digest. */
  readonly blobs?: boolean;
  /** Keep it as cached, not pinned: it may go when the disk is needed. */
  readonly cached?: boolean;
}

/** What `pull --lazy` asks: as {@link PullRequest}; only what names and shows the image is waited for. */
export interface PrepareRequest {
  readonly reference: string;
  readonly platform?: string;
  readonly from?: string;
}

export interface MountRequest extends PrepareRequest {
  /** The directory, absolute; the caller has seen that it is one. */
  readonly target: string;
  /** What is written goes into a folder of the station and is dropped by the unmount. */
  readonly writable?: boolean;
  /** Honour suid bits and file capabilities. */
  readonly suid?: boolean;
  /** Honour device files. */
  readonly dev?: boolean;
}

export interface UnmountRequest {
  /** Absolute. */
  readonly target: string;
  /** Detach it although it is in use. */
  readonly lazy?: boolean;
  /** Keep what was written. */
  readonly keep?: boolean;
}

export interface StopRequest {
  /** Also the processes that serve mounts: refused while anything is mounted. */
  readonly all?: boolean;
  /** With `all`: unmount everything first, in use or not. */
  readonly force?: boolean;
}

/** An image that is here, or on its way, and one platform of it. */
export interface ProfileRequest {
  readonly image: string;
  readonly platform?: string;
}

export type ExportFormat = 'docker-archive' | 'oci-archive';

export interface ExportRequest {
  /** Any reference to an image that is here: CID of its root, id prefix, name. */
  readonly image: string;
  readonly format: ExportFormat;
  readonly platform?: string;
  /** Names to write into the archive; absent: all the image has. */
  readonly names?: readonly string[];
}

export interface GcRequest {
  /** Also drop cached images. */
  readonly cached?: boolean;
  /** Also what half-done pushes and pulls left. */
  readonly interrupted?: boolean;
}

/** An image that is here, by CID of its root, id prefix or name. */
export interface ImageRequest {
  readonly image: string;
}

export interface PeerRequest {
  readonly peer: string;
}

export interface ConnectRequest {
  readonly addr: string;
}

export interface BlockRequest {
  readonly cid: string;
}
