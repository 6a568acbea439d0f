import type { CID } from 'multiformats/cid';
import { digestOfBytes } from '../../../src/base/digest.ts';
import type { DagBlock } from '../../../src/image/dag/dag-block.ts';
import { directoryDag } from '../../../src/image/dag/directory-dag.ts';
import { CHUNK_SIZE, fileDag, leafCount, rawCid } from '../../../src/image/dag/file-dag.ts';
import {
  imageRoot,
  jsonFile,
  layerRoot,
  manifestRoot,
  publishedRoot,
} from '../../../src/image/dag/image-roots.ts';
import { noise, sha } from './memory-station.ts';

interface SomeFile {
  readonly cid: CID;
  readonly tsize: number;
  readonly nodes: readonly DagBlock[];
  readonly leaves: readonly DagBlock[];
}

function someFile(bytes: Uint8Array): SomeFile {
  const leaves = Array.from({ length: leafCount(bytes.length) }, (_, i) => {
    const leaf = bytes.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE);
    return { cid: rawCid(sha(leaf)), bytes: leaf };
  });
  const dag = fileDag(
    bytes.length,
    new Uint8Array(Buffer.concat(leaves.map(({ cid }) => cid.multihash.digest))),
  );
  return { cid: dag.cid, tsize: dag.tsize, nodes: dag.nodes, leaves };
}

/** An image of two platforms, two layers each, below a published root; what a tree want answers, and what not. */
export function someImage(name = ['jbenet', 'go-ipfs']) {
  const needed: DagBlock[] = [];
  const notSent: DagBlock[] = [];
  const platforms = ['amd64', 'arm64'];
  const layerRoots: CID[] = [];
  const manifests = platforms.map((architecture, number) => {
    const mine: DagBlock[] = [];
    const layers = [0, 1].map((layer) => {
      const index = someFile(noise(number * 10 + layer, 700_000));
      const recipe = someFile(noise(100 + number * 10 + layer, 600_000));
      const tree = directoryDag([]);
      const root = layerRoot({ index, tar: recipe, tree });
      layerRoots.push(root.cid);
      mine.push(...root.blocks, ...index.nodes, ...index.leaves, ...recipe.nodes);
      notSent.push(...recipe.leaves, ...tree.blocks);
      return root;
    });
    const config = jsonFile(Buffer.from(JSON.stringify({ os: 'linux', architecture })));
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, layers: [], annotations: { architecture } }),
    );
    const manifest = jsonFile(bytes);
    const root = manifestRoot({ manifest, config, layers });
    mine.push(...manifest.blocks, ...config.blocks, ...root.blocks);
    return { root, mine, digest: digestOfBytes(bytes), size: bytes.length, architecture };
  });
  const indexBytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: manifests.map(({ digest, size, architecture }) => ({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size,
        platform: { os: 'linux', architecture },
      })),
    }),
  );
  const index = jsonFile(indexBytes);
  const image = imageRoot({ index, manifests });
  const published = publishedRoot([
    { name: name.join('/'), root: image },
    { name: 'c1d9bf8d8844', root: image },
  ]);
  needed.push(...published.blocks, ...image.blocks, ...index.blocks);
  const of = (number: number) => [...needed, ...manifests[number]!.mine];
  return {
    published: published.cid,
    image: image.cid,
    path: name,
    layerRoots,
    amd64: of(0),
    arm64: of(1),
    both: [...needed, ...manifests.flatMap(({ mine }) => mine)],
    all: [...needed, ...manifests.flatMap(({ mine }) => mine), ...notSent],
    notSent,
  };
}
