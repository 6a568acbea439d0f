import { Fault } from '../../base/fault.ts';
import type { MergedTree } from './merged-tree.ts';

/** One line a path, depth first, names in byte order; for tests and `debug layer`. */
export function formatMergedTree(_tree: MergedTree): Iterable<string> {
  throw new Fault('internal', 'unfinished', 'formatMergedTree');
}
