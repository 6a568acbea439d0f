import type { Digest } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import { readLayerRoot } from '../image/dag/image-roots.ts';
import type { Lease } from '../store/lease.ts';
import { fileLeaves } from './file-leaves.ts';
import { localTree, type PulledTree, type PullTreeRequest, pullTree } from './pull-tree.ts';
import { type PulledImage, type PulledManifest, readPulledImage } from './pulled-manifest.ts';
import type { TransferComponents, TransferSettings } from './transfer-components.ts';

/** An image whose tree is at hand, and those of its manifests that are wanted. */
export interface OpenedImage {
  readonly tree: PulledTree;
  readonly image: PulledImage;
}

export interface OpenRequest extends PullTreeRequest {
  /** The id that was asked for: of one of several platforms it stands for this one, whatever `platform` says. */
  readonly digest?: Digest | undefined;
}

/** Opens what is here, else brings the tree. @throws Fault of {@link pullTree} and {@link readPulledImage} */
export async function openPulledImage(
  components: TransferComponents,
  settings: TransferSettings,
  lease: Lease,
  { digest, ...request }: OpenRequest,
): Promise<OpenedImage> {
  const open = async (platform: string): Promise<OpenedImage> => {
    const wanted = { ...request, platform };
    const local = await readLocal(components, settings, wanted);
    if (local !== undefined) return local;
    const tree = await pullTree(components.store, components.swarm.fetcher, lease, wanted);
    return { tree, image: readPulledImage(tree.imageRoot, platform, tree.get, settings.limits) };
  };
  if (digest === undefined) return open(request.platform);
  const isMeant = (manifest: PulledManifest): boolean =>
    manifest.digest === digest || manifest.imageId === digest;
  const first = await open(request.platform).catch((error) => {
    if (error instanceof Fault && (error.kind === 'not-found' || error.kind === 'unavailable'))
      return undefined;
    throw error;
  });
  if (first?.image.indexDigest === digest || first?.image.manifests.some(isMeant))
    return first as OpenedImage;
  const { tree, image } = await open('all');
  const meant = image.manifests.filter(isMeant);
  // an id that none of them has is told from the image by who asked
  return meant.length === 0 && first !== undefined ? first : { tree, image: { ...image, manifests: meant } };
}

/** The tree of an image all of whose indexes are here: of one that was pulled before, or partly. */
async function readLocal(
  { store }: TransferComponents,
  settings: TransferSettings,
  { root, path, platform }: PullTreeRequest,
): Promise<OpenedImage | undefined> {
  try {
    const tree = localTree(store, root, path);
    const image = readPulledImage(tree.imageRoot, platform, tree.get, settings.limits);
    for (const layer of image.manifests.flatMap(({ layers }) => layers)) {
      if (layer.diffId === undefined || layer.root === undefined) continue;
      const shape = readLayerRoot(layer.root, tree.get);
      fileLeaves(shape.tar, tree.get);
      if (!store.objects.has(shape.index.cid)) return undefined;
    }
    return { tree, image };
  } catch (error) {
    if (error instanceof Fault && error.kind !== 'internal') return undefined;
    throw error;
  }
}
