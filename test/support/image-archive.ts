import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Digest } from '../../src/base/digest.ts';
import { directory, file, type LayerEntry, layerTar } from './layer-tar.ts';

/** A layer: entries, or a tar that was made otherwise; plain unless `compression` says more. */
export interface LayerSpec {
  readonly entries?: readonly LayerEntry[];
  readonly tar?: Uint8Array;
  readonly compression?: 'none' | 'gzip' | 'zstd';
}

export interface ImageSpec {
  /** Bottom first; a bare list of entries is a plain layer. */
  readonly layers: readonly (LayerSpec | readonly LayerEntry[])[];
  /** References with a tag, e.g. `hello:1`. */
  readonly names?: readonly string[];
  /** Laid over the config that is made (`config`, `env` …). */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly mediaTypes?: 'oci' | 'docker';
}

export interface BuiltLayer {
  readonly tar: Buffer;
  readonly diffId: Digest;
  /** As a registry stores it. */
  readonly blob: Buffer;
  readonly digest: Digest;
  readonly mediaType: string;
}

export interface BuiltImage {
  readonly names: readonly string[];
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly layers: readonly BuiltLayer[];
  readonly config: Buffer;
  readonly imageId: Digest;
  readonly diffIds: readonly Digest[];
  readonly manifest: Buffer;
  readonly manifestDigest: Digest;
  readonly manifestMediaType: string;
}

export function sha256Digest(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const MEDIA_TYPES = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    none: 'application/vnd.oci.image.layer.v1.tar',
    gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
    zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    none: 'application/vnd.docker.image.rootfs.diff.tar',
    gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  },
} as const;

const COMPRESSORS = {
  none: (tar: Buffer) => tar,
  gzip: (tar: Buffer) => gzipSync(tar),
  zstd: (tar: Buffer) => zstdCompressSync(tar),
} as const;

function buildLayer(spec: LayerSpec | readonly LayerEntry[], mediaTypes: 'oci' | 'docker'): BuiltLayer {
  const layer: LayerSpec = Array.isArray(spec) ? { entries: spec } : (spec as LayerSpec);
  const tar = layer.tar === undefined ? layerTar(layer.entries ?? []) : Buffer.from(layer.tar);
  const compression = layer.compression ?? 'none';
  const blob = COMPRESSORS[compression](tar);
  return {
    tar,
    diffId: sha256Digest(tar),
    blob,
    digest: sha256Digest(blob),
    mediaType: MEDIA_TYPES[mediaTypes][compression],
  };
}

/** Config and manifest with true digests. The same specification gives the same bytes. */
export function buildImage(spec: ImageSpec): BuiltImage {
  const kind = spec.mediaTypes ?? 'oci';
  const layers = spec.layers.map((layer) => buildLayer(layer, kind));
  const diffIds = layers.map((layer) => layer.diffId);
  const platform = {
    os: spec.os ?? 'linux',
    architecture: spec.architecture ?? (process.arch === 'arm64' ? 'arm64' : 'amd64'),
    ...(spec.variant === undefined ? {} : { variant: spec.variant }),
  };
  const config = Buffer.from(
    JSON.stringify({
      ...platform,
      config: { Cmd: ['/bin/sh'] },
      ...spec.config,
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: layers.map(() => ({ created: '2020-01-01T00:00:00Z', created_by: 'test' })),
    }),
  );
  const imageId = sha256Digest(config);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES[kind].manifest,
      config: { mediaType: MEDIA_TYPES[kind].config, digest: imageId, size: config.length },
      layers: layers.map(({ mediaType, digest, blob }) => ({ mediaType, digest, size: blob.length })),
    }),
  );
  return {
    names: spec.names ?? [],
    platform,
    layers,
    config,
    imageId,
    diffIds,
    manifest,
    manifestDigest: sha256Digest(manifest),
    manifestMediaType: MEDIA_TYPES[kind].manifest,
  };
}

/** What `docker save` of a graphdriver store writes: config, one folder with `layer.tar` a layer, manifest.json last. */
export function dockerArchive(images: readonly BuiltImage[]): Buffer {
  const entries: LayerEntry[] = [];
  const seen = new Set<string>();
  const once = (entry: LayerEntry) => {
    if (!seen.has(String(entry.path))) entries.push(entry);
    seen.add(String(entry.path));
  };
  for (const image of images) {
    for (const layer of image.layers) {
      const folder = layer.diffId.slice(7);
      once(directory(folder));
      once(file(`${folder}/VERSION`, '1.0'));
      once(file(`${folder}/layer.tar`, layer.tar));
    }
    once(file(`${image.imageId.slice(7)}.json`, image.config));
  }
  const manifest = images.map((image) => ({
    Config: `${image.imageId.slice(7)}.json`,
    RepoTags: image.names.length === 0 ? null : image.names,
    Layers: image.layers.map((layer) => `${layer.diffId.slice(7)}/layer.tar`),
  }));
  entries.push(file('manifest.json', JSON.stringify(manifest)));
  return layerTar(entries);
}

const blobPath = (digest: Digest) => `blobs/sha256/${digest.slice(7)}`;

export interface OciLayoutOptions {
  /** One index of all images, by which `index.json` names them: a multi-platform image of this reference. */
  readonly multiPlatform?: string;
}

/** The files of an OCI layout by path, `oci-layout` and `index.json` last. */
export function ociLayoutFiles(
  images: readonly BuiltImage[],
  options: OciLayoutOptions = {},
): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const descriptors: object[] = images.map((image) => ({
    mediaType: image.manifestMediaType,
    digest: image.manifestDigest,
    size: image.manifest.length,
    platform: image.platform,
    ...(options.multiPlatform === undefined && image.names[0] !== undefined
      ? { annotations: { 'org.opencontainers.image.ref.name': image.names[0] } }
      : {}),
  }));
  for (const image of images) {
    for (const layer of image.layers) files.set(blobPath(layer.digest), layer.blob);
    files.set(blobPath(image.imageId), image.config);
    files.set(blobPath(image.manifestDigest), image.manifest);
  }
  const mediaType = MEDIA_TYPES.oci.index;
  let top = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: descriptors }));
  if (options.multiPlatform !== undefined) {
    const digest = sha256Digest(top);
    files.set(blobPath(digest), top);
    const annotations = { 'org.opencontainers.image.ref.name': options.multiPlatform };
    top = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType,
        manifests: [{ mediaType, digest, size: top.length, annotations }],
      }),
    );
  }
  files.set('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  files.set('index.json', top);
  return files;
}

/** An OCI layout as one tar. */
export function ociLayoutTar(images: readonly BuiltImage[], options: OciLayoutOptions = {}): Buffer {
  const files = [...ociLayoutFiles(images, options)].map(([path, bytes]) => file(path, bytes));
  return layerTar([directory('blobs'), directory('blobs/sha256'), ...files]);
}

/** An OCI layout as a folder, which is made. */
export function writeOciLayout(
  folder: string,
  images: readonly BuiltImage[],
  options: OciLayoutOptions = {},
): void {
  for (const [path, bytes] of ociLayoutFiles(images, options)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}
