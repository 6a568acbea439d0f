import { CID } from 'multiformats/cid';
import type { DagLink } from '../../../src/image/dag/dag-block.ts';
import { bytesOf } from '../../store/store-fixture.ts';
import { type BuiltImage, buildImage, dockerArchive } from '../../support/image-archive.ts';
import { file, type LayerEntry } from '../../support/layer-tar.ts';
import type { TransferStation } from './two-stations.ts';

export const imageOfEntries = (...entries: LayerEntry[]): BuiltImage =>
  buildImage({ architecture: 'amd64', layers: [entries] });

const CONTENT = bytesOf(1, 300_000);

/** What a forger takes for its own. */
export const genuine = imageOfEntries(file('bin/su', CONTENT, { mode: 0o755 }), file('etc/x', 'x'));
/** The same content, with another mode. */
export const evil = imageOfEntries(file('bin/su', CONTENT, { mode: 0o4755 }), file('etc/x', 'x'));
/** Nothing of it. */
export const other = imageOfEntries(file('bin/su', bytesOf(2, 1000)), file('etc/y', 'y'));

/** Tsizes are not looked at by who pulls; a true one needs the whole DAG. */
export const linkTo = (cid: string): DagLink => ({ cid: CID.parse(cid), tsize: 1 });

/** Pushes an image of one layer. */
export async function pushedTo(
  station: TransferStation,
  built: BuiltImage,
): Promise<{ root: string; layer: string; link: DagLink }> {
  const { record } = await station.push(dockerArchive([built]));
  const layer = record.manifests[0]!.layers[0]!.root as string;
  return { root: record.root, layer, link: linkTo(layer) };
}
