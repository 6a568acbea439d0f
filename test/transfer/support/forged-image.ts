import { CID } from 'multiformats/cid';
import type { Digest } from '../../../src/base/digest.ts';
import { digestOfBytes } from '../../../src/base/digest.ts';
import type { DagBlock, DagLink } from '../../../src/image/dag/dag-block.ts';
import {
  imageRoot,
  jsonFile,
  layerRoot,
  manifestRoot,
  readLayerRoot,
} from '../../../src/image/dag/image-roots.ts';
import type { Store } from '../../../src/store/store.ts';
import type { BuiltImage } from '../../support/image-archive.ts';
import { late } from '../../support/late.ts';

export interface Forgery {
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
  readonly layers: readonly (DagLink | undefined)[];
  readonly index?: Uint8Array;
  /** What the manifest's directory is named by; default: its true digest. */
  readonly digest?: Digest;
  /** More manifest roots, by name. */
  readonly others?: readonly { readonly digest: Digest; readonly root: DagLink }[];
}

export const ofImage = ({ manifest, config }: BuiltImage, layers: Forgery['layers']): Forgery => ({
  manifest,
  config,
  layers,
});

/** Makes and shares what a station that lies would: images whose parts need not fit. */
export interface Forger {
  /** Answers the image root. */
  image(forgery: Forgery): Promise<string>;
  /** A layer root of any parts. */
  layer(parts: Parameters<typeof layerRoot>[0]): DagLink;
  /** A file of these bytes, as an object. */
  file(bytes: Uint8Array): DagLink;
  block(block: DagBlock): void;
  /** From now on it is kept by the images alone. */
  end(): void;
}

export function createForger(store: Store): Forger {
  const lease = store.lease('push', { shared: true });
  const block = ({ cid, bytes }: DagBlock): void => store.blocks.put(lease, cid, bytes);

  function json(bytes: Uint8Array): DagLink {
    const made = jsonFile(bytes);
    made.blocks.forEach(block);
    return made;
  }

  return {
    block,
    end: () => lease.end(),
    layer(parts) {
      const root = layerRoot(parts);
      root.blocks.forEach(block);
      return root;
    },
    file(bytes) {
      const writer = store.objects.write(lease, bytes.length);
      writer.write(bytes);
      const { cid, size } = writer.finish();
      return { cid, tsize: size };
    },
    async image({ manifest, config, layers, ...rest }) {
      const digest = rest.digest ?? digestOfBytes(manifest);
      const root = manifestRoot({ manifest: json(manifest), config: json(config), layers });
      const image = imageRoot({
        manifests: [{ digest, root: { cid: root.cid, tsize: root.tsize } }, ...(rest.others ?? [])],
        ...(rest.index === undefined ? {} : { index: json(rest.index) }),
      });
      [...root.blocks, ...image.blocks].forEach(block);
      await store.images.put({
        root: image.cid.toString(),
        manifests: [
          {
            root: root.cid.toString(),
            digest,
            mediaType: 'application/vnd.oci.image.manifest.v1+json',
            imageId: digestOfBytes(config),
            platform: 'linux/amd64',
            layers: [],
          },
        ],
        names: [],
        publishedRoots: [],
        state: 'pinned',
        shared: true,
        keptBlobs: [],
        origin: 'push',
        contentSize: 0,
        createdAt: 1,
        usedAt: 1,
      });
      return image.cid.toString();
    },
  };
}

/** The parts of a layer that is here. */
export const layerParts = (store: Store, root: string) =>
  readLayerRoot(CID.parse(root), (cid) => store.blocks.getSync(cid));

/** A forger for each test of the suite that calls this. */
export function suiteForger(store: () => Store): Forger {
  let forger: Forger;
  beforeEach(() => {
    forger = createForger(store());
  });
  afterEach(() => forger.end());
  return late(() => forger);
}
