import type { KeptBlob } from '../../store/image-records.ts';
import { type CborValue, cidValue, decodeCbor, digestValue, encodeCbor } from '../network/cbor-value.ts';
import {
  CATALOGUE_LIMITS,
  type Catalogue,
  type CatalogueBinding,
  type CatalogueImage,
  type CatalogueManifest,
  type CatalogueProfile,
} from './catalogue.ts';

/** Of the layout below: a reader refuses another. */
const FORMAT = 1;
const LIMITS = CATALOGUE_LIMITS;

/** The bytes that are signed. Equal catalogues give equal bytes. */
export function encodeCatalogue(catalogue: Catalogue): Uint8Array {
  return encodeCbor({
    format: FORMAT,
    peer: catalogue.peer,
    version: catalogue.version,
    images: catalogue.images.map((image) => ({
      root: cidValue(image.root),
      ...(image.indexDigest === undefined ? {} : { index: digestValue(image.indexDigest) }),
      manifests: image.manifests.map((manifest) => ({
        root: cidValue(manifest.root),
        digest: digestValue(manifest.digest),
        id: digestValue(manifest.imageId),
        platform: manifest.platform,
      })),
      names: image.names,
      published: image.publishedRoots.map(cidValue),
      kept: image.keptBlobs.map(encodeKeptBlob),
      ...encodeProfiles(image.profiles),
      created: Math.trunc(image.createdAt),
      origin: image.origin,
    })),
    bindings: catalogue.bindings.map((binding) => ({
      diff: digestValue(binding.diffId),
      root: cidValue(binding.root),
      size: binding.tarSize,
      blobs: binding.blobs.map(digestValue),
    })),
  });
}

/** @throws Fault `corrupt/bad-cbor` for anything but a catalogue within {@link CATALOGUE_LIMITS} */
export function decodeCatalogue(bytes: Uint8Array): Catalogue {
  const value = decodeCbor(bytes, 'catalogue');
  if (value.field('format').count() !== FORMAT) {
    throw value.field('format').fault(`format ${FORMAT}`);
  }
  return {
    peer: value.field('peer').text(128),
    version: value.field('version').count(),
    images: value.field('images').list(LIMITS.images).map(decodeImage),
    bindings: value.field('bindings').list(LIMITS.bindings).map(decodeBinding),
  };
}

function decodeImage(value: CborValue): CatalogueImage {
  const index = value.field('index');
  return {
    root: value.field('root').cid(),
    ...(index.absent ? {} : { indexDigest: index.digest() }),
    manifests: value.field('manifests').list(LIMITS.manifests).map(decodeManifest),
    names: value
      .field('names')
      .list(LIMITS.names)
      .map((name) => name.text(LIMITS.nameBytes)),
    publishedRoots: value
      .field('published')
      .list(LIMITS.publishedRoots)
      .map((root) => root.cid()),
    keptBlobs: value.field('kept').list(LIMITS.keptBlobs).map(decodeKeptBlob),
    ...decodeProfiles(value),
    createdAt: value.field('created').count(),
    origin: value.field('origin').text(128),
  };
}

function decodeManifest(value: CborValue): CatalogueManifest {
  return {
    root: value.field('root').cid(),
    digest: value.field('digest').digest(),
    imageId: value.field('id').digest(),
    platform: value.field('platform').text(64),
  };
}

function decodeBinding(value: CborValue): CatalogueBinding {
  return {
    diffId: value.field('diff').digest(),
    root: value.field('root').cid(),
    tarSize: value.field('size').count(),
    blobs: value
      .field('blobs')
      .list(LIMITS.bindingBlobs)
      .map((blob) => blob.digest()),
  };
}

/** The member `profiles` of an image or an answer; absent where there are none. */
export function encodeProfiles(profiles: readonly CatalogueProfile[] | undefined): object {
  if (profiles === undefined || profiles.length === 0) return {};
  const list = profiles.map(({ root, profile, size }) => ({
    root: cidValue(root),
    profile: cidValue(profile),
    size,
  }));
  return { profiles: list };
}

/** @param value the image or answer @throws Fault `corrupt/bad-cbor` */
export function decodeProfiles(value: CborValue): { readonly profiles?: readonly CatalogueProfile[] } {
  const field = value.field('profiles');
  if (field.absent) return {};
  return { profiles: field.list(LIMITS.profiles).map(decodeProfile) };
}

function decodeProfile(value: CborValue): CatalogueProfile {
  const size = value.field('size').count();
  if (size > LIMITS.profileBytes) throw value.field('size').fault(`at most ${LIMITS.profileBytes} bytes`);
  return { root: value.field('root').cid(), profile: value.field('profile').cid(), size };
}

/** A kept blob as CBOR, in catalogues and answers alike. */
export function encodeKeptBlob(blob: KeptBlob): object {
  return {
    digest: digestValue(blob.digest),
    cid: cidValue(blob.cid),
    size: blob.size,
    type: blob.mediaType,
  };
}

/** @throws Fault `corrupt/bad-cbor` */
export function decodeKeptBlob(value: CborValue): KeptBlob {
  return {
    digest: value.field('digest').digest(),
    cid: value.field('cid').cid(),
    size: value.field('size').count(),
    mediaType: value.field('type').text(256),
  };
}
