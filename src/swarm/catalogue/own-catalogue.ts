import { sha256 } from '../../base/digest.ts';
import type { Identity } from '../../config/identity-file.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Bindings } from '../../store/bindings.ts';
import type { ImageRecord } from '../../store/image-records.ts';
import type { Store } from '../../store/store.ts';
import {
  CATALOGUE_LIMITS,
  type Catalogue,
  type CatalogueBinding,
  type CatalogueImage,
  type CatalogueProfile,
} from './catalogue.ts';
import { encodeCatalogue } from './catalogue-codec.ts';
import { signCatalogue } from './signed-catalogue.ts';

/** This station's catalogue, made anew after each change of its images. */
export interface OwnCatalogue {
  readonly version: number;
  readonly signed: Uint8Array;
  /** Called when a new version is ready. Returns the unsubscribe. */
  onChange(listener: () => void): () => void;
  stop(): Promise<void>;
}

export interface OwnCatalogueComponents {
  readonly store: Pick<Store, 'images' | 'bindings' | 'values'>;
  readonly identity: Identity;
  readonly logger: Logger;
}

interface SavedVersion {
  readonly version: number;
  /** sha256 of the encoded catalogue as version 0: tells whether anything changed. */
  readonly content: string;
}

const VALUE = 'catalogue-version';
/** A push changes several records in a row: one new version for all. */
const SETTLE_MS = 100;

export async function openOwnCatalogue(components: OwnCatalogueComponents): Promise<OwnCatalogue> {
  const { store, identity, logger } = components;
  const listeners = new Set<() => void>();
  let version = 0;
  let signed: Uint8Array = new Uint8Array();
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();

  const renew = async (): Promise<void> => {
    const catalogue = catalogueOf(store.images.all(), store.bindings, identity.peerId);
    const content = sha256(encodeCatalogue(catalogue)).toString('hex');
    const saved = store.values.get<SavedVersion>(VALUE);
    const unchanged = saved?.content === content;
    if (unchanged && version === saved.version) return;
    const next = unchanged ? saved.version : (saved?.version ?? 0) + 1;
    // Durable before anyone sees it: a version never names two contents.
    if (!unchanged) await store.values.put<SavedVersion>(VALUE, { version: next, content });
    signed = await signCatalogue({ ...catalogue, version: next }, identity.privateKey);
    version = next;
    for (const listener of listeners) listener();
  };
  const schedule = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      working = working.then(renew).catch((error) => {
        logger.error({ error: String(error) }, 'the catalogue could not be renewed');
      });
    }, SETTLE_MS);
  };

  await renew();
  const unsubscribe = store.images.onChange(schedule);
  return {
    get version() {
      return version;
    },
    get signed() {
      return signed;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      unsubscribe();
      clearTimeout(timer);
      await working;
    },
  };
}

/** What is shared of `images`, in the order of their roots, with what was computed here of their layers; version 0. */
export function catalogueOf(images: Iterable<ImageRecord>, bindings: Bindings, peer: string): Catalogue {
  const shared = [...images].filter((image) => image.shared);
  shared.sort((a, b) => (a.root < b.root ? -1 : 1));
  const kept = shared.slice(0, CATALOGUE_LIMITS.images);
  return { peer, version: 0, images: kept.map(imageOf), bindings: bindingsOf(kept, bindings) };
}

function imageOf(record: ImageRecord): CatalogueImage {
  return {
    root: record.root,
    ...(record.indexDigest === undefined ? {} : { indexDigest: record.indexDigest }),
    manifests: record.manifests
      .slice(0, CATALOGUE_LIMITS.manifests)
      .map(({ root, digest, imageId, platform }) => ({ root, digest, imageId, platform })),
    names: record.names.slice(0, CATALOGUE_LIMITS.names),
    publishedRoots: record.publishedRoots.slice(-CATALOGUE_LIMITS.publishedRoots),
    keptBlobs: record.keptBlobs.slice(0, CATALOGUE_LIMITS.keptBlobs),
    ...profilesOf(record),
    createdAt: record.createdAt,
    origin: record.origin,
  };
}

/** Those of an image as others are told of them. */
export function profilesOf(record: ImageRecord): { readonly profiles?: readonly CatalogueProfile[] } {
  const profiles = (record.profiles ?? []).slice(0, CATALOGUE_LIMITS.profiles);
  if (profiles.length === 0) return {};
  return { profiles: profiles.map(({ root, profile, size }) => ({ root, profile, size })) };
}

/** Never a claim that another station made: trust is not handed on. */
function bindingsOf(images: readonly ImageRecord[], bindings: Bindings): CatalogueBinding[] {
  const found = new Map<string, CatalogueBinding>();
  for (const layer of images.flatMap(({ manifests }) => manifests.flatMap(({ layers }) => layers))) {
    if (layer.diffId === undefined || layer.root === undefined) continue;
    const binding = bindings.get(layer.diffId);
    if (binding?.source !== 'here' || binding.root !== layer.root) continue;
    const blobs = new Set(found.get(layer.diffId)?.blobs);
    if (bindings.diffIdOf(layer.digest) === layer.diffId && blobs.size < CATALOGUE_LIMITS.bindingBlobs) {
      blobs.add(layer.digest);
    }
    const { diffId, root, tarSize } = binding;
    found.set(diffId, { diffId, root, tarSize, blobs: [...blobs].sort() });
  }
  return [...found.values()]
    .sort((a, b) => (a.diffId < b.diffId ? -1 : 1))
    .slice(0, CATALOGUE_LIMITS.bindings);
}
