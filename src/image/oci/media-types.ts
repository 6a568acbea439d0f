export type MediaKind = 'index' | 'manifest' | 'manifest-schema1' | 'config' | 'layer';
export type Compression = 'none' | 'gzip' | 'zstd';

/** All that is known of one media type. */
export interface MediaType {
  readonly name: string;
  readonly kind: MediaKind;
  readonly family: 'oci' | 'docker';
  /** Layers only: how the tar is packed. */
  readonly compression?: Compression;
  /** Layers only: comes from the URLs of its descriptor, its bytes may be missing everywhere else. */
  readonly foreign?: boolean;
}

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER_TAR = 'application/vnd.oci.image.layer.v1.tar';
export const DOCKER_MANIFEST_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

const OCI_FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
const DOCKER_FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar';
const DOCKER_SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1';

/** image-spec media-types.md; distribution docs/spec/manifest-v2-2.md; containerd images/mediatypes.go. */
export const MEDIA_TYPES: readonly MediaType[] = [
  { name: OCI_INDEX, kind: 'index', family: 'oci' },
  { name: OCI_MANIFEST, kind: 'manifest', family: 'oci' },
  { name: OCI_CONFIG, kind: 'config', family: 'oci' },
  { name: OCI_LAYER_TAR, kind: 'layer', family: 'oci', compression: 'none' },
  { name: `${OCI_LAYER_TAR}+gzip`, kind: 'layer', family: 'oci', compression: 'gzip' },
  { name: `${OCI_LAYER_TAR}+zstd`, kind: 'layer', family: 'oci', compression: 'zstd' },
  { name: OCI_FOREIGN, kind: 'layer', family: 'oci', compression: 'none', foreign: true },
  { name: `${OCI_FOREIGN}+gzip`, kind: 'layer', family: 'oci', compression: 'gzip', foreign: true },
  { name: `${OCI_FOREIGN}+zstd`, kind: 'layer', family: 'oci', compression: 'zstd', foreign: true },
  { name: DOCKER_MANIFEST_LIST, kind: 'index', family: 'docker' },
  { name: DOCKER_MANIFEST, kind: 'manifest', family: 'docker' },
  { name: DOCKER_CONFIG, kind: 'config', family: 'docker' },
  { name: DOCKER_LAYER, kind: 'layer', family: 'docker', compression: 'none' },
  { name: `${DOCKER_LAYER}.gzip`, kind: 'layer', family: 'docker', compression: 'gzip' },
  { name: `${DOCKER_LAYER}.zstd`, kind: 'layer', family: 'docker', compression: 'zstd' },
  { name: DOCKER_FOREIGN, kind: 'layer', family: 'docker', compression: 'none', foreign: true },
  { name: `${DOCKER_FOREIGN}.gzip`, kind: 'layer', family: 'docker', compression: 'gzip', foreign: true },
  { name: `${DOCKER_FOREIGN}.zstd`, kind: 'layer', family: 'docker', compression: 'zstd', foreign: true },
  { name: `${DOCKER_SCHEMA1}+json`, kind: 'manifest-schema1', family: 'docker' },
  { name: `${DOCKER_SCHEMA1}+prettyjws`, kind: 'manifest-schema1', family: 'docker' },
];

const BY_NAME: ReadonlyMap<string, MediaType> = new Map(MEDIA_TYPES.map((type) => [type.name, type]));

/** `undefined`: some other blob (attestation, signature, chart, encrypted layer), kept as its exact bytes. */
export function findMediaType(name: string): MediaType | undefined {
  return BY_NAME.get(name);
}

/** Whether a blob of this type is an image layer, a tar perhaps compressed. */
export function isLayerTar(name: string): boolean {
  return BY_NAME.get(name)?.kind === 'layer';
}
