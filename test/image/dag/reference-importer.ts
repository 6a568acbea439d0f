import { type ImportCandidate, type ImportResult, importer } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced } from 'ipfs-unixfs-importer/layout';
import { type CountingBlocks, countingBlocks } from './counting-blocks.ts';

export interface Imported {
  readonly root: ImportResult;
  readonly blocks: CountingBlocks;
}

/**
 * ipfs-unixfs-importer 17 with everything set that a root depends on.
 * @param shardThreshold below the default to see small directories sharded
 */
export async function importWithReference(
  candidates: Iterable<ImportCandidate>,
  options: { wrap?: boolean; shardThreshold?: number } = {},
): Promise<Imported> {
  const blocks = countingBlocks();
  let root: ImportResult | undefined;
  const source = importer(candidates, blocks, {
    cidVersion: 1,
    rawLeaves: true,
    reduceSingleLeafToSelf: true,
    wrapWithDirectory: options.wrap ?? false,
    shardSplitStrategy: 'links-bytes',
    shardSplitThresholdBytes: options.shardThreshold ?? 262_144,
    chunker: fixedSize({ chunkSize: 262_144 }),
    layout: balanced({ maxChildrenPerNode: 174 }),
  });
  for await (const result of source) root = result;
  if (root === undefined) throw new Error('the importer gave nothing');
  return { root, blocks };
}
