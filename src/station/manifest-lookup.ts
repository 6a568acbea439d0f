import { Fault } from '../base/fault.ts';
import { bestPlatform, parsePlatform } from '../image/oci/platform.ts';
import { parseReference, printFamiliar } from '../image/oci/reference.ts';
import type { ImageRecord, ManifestRecord } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import type { ImageQuery } from '../swarm/image-query.ts';
import { parseImageReference } from '../transfer/image-reference.ts';
import type { LazyImages, LazyView } from '../transfer/lazy/lazy-images.ts';
import { findImage } from './image-lookup.ts';

/**
 * The manifest of an image that fits the platform, or its only one.
 * @throws Fault `not-found/no-such-platform`
 */
export function chooseManifest(record: ImageRecord, platform: string): ManifestRecord {
  const [first, ...others] = record.manifests;
  if (first !== undefined && others.length === 0) return first;
  const named = record.manifests.map((manifest) => ({
    manifest,
    platform: parsePlatform(manifest.platform),
  }));
  const best = bestPlatform(parsePlatform(platform), named);
  if (best !== undefined) return best.manifest;
  const have = record.manifests.map((manifest) => manifest.platform);
  throw new Fault(
    'not-found',
    'no-such-platform',
    `image ${record.root} is here for ${have.join(', ')}, not for ${platform}`,
    {
      fields: { platform, have },
    },
  );
}

/** @param platform as of {@link chooseManifest}, or `all`: every one that is here */
export function exportManifests(
  record: ImageRecord,
  platform: string,
): readonly [ManifestRecord, ...ManifestRecord[]] {
  const [first, ...others] = record.manifests;
  return platform === 'all' && first !== undefined ? [first, ...others] : [chooseManifest(record, platform)];
}

/**
 * The manifest root that a reference names, of an image that is here or still on its way.
 * @throws Fault as `findImage` and {@link chooseManifest}
 */
export function findManifestRoot(
  store: Store,
  lazy: Pick<LazyImages, 'list' | 'get'>,
  text: string,
  platform: string,
): string {
  try {
    return chooseManifest(findImage(store, text), platform).root;
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'unknown-image') throw error;
    const query = parseImageReference(text);
    const found = lazy.list().find((view) => isNamedBy(query, view, lazy.get(view.key)?.imageId));
    if (found === undefined) throw error;
    return found.key;
  }
}

/** @param imageId `sha256:…`, where it is known */
function isNamedBy(query: ImageQuery, view: LazyView, imageId: string | undefined): boolean {
  switch (query.kind) {
    case 'id':
      return imageId?.startsWith(`sha256:${query.prefix}`) === true;
    case 'cid': {
      const cid = query.cid.toString();
      if (cid === view.key || cid === view.imageRoot) return true;
      // /ipfs/<published root>/<id or name>: the published root is not remembered before the image is whole.
      const rest = query.path.join('/');
      return rest !== '' && isNamedBy(parseImageReference(rest), view, imageId);
    }
    default:
      return view.names.includes(printFamiliar(parseReference(query.name)));
  }
}
