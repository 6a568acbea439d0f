import { Fault } from '../../base/fault.ts';
import type { DirectoryDag } from '../dag/directory-dag.ts';
import type { LayerIndex } from './layer-index.ts';

/**
 * The `tree/` of a layer root: directories, symlinks, and every file as its object's CID. Devices, fifos, whiteouts
 * and hard links to lower layers are not in it. `blocks` are all directories' and symlinks' blocks, children before
 * parents, the tree's root last; a block that several entries share may come more than once.
 */
export function layerTree(_index: LayerIndex): DirectoryDag {
  throw new Fault('internal', 'unfinished', 'layerTree');
}
