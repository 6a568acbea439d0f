import { attributeText, hexText, lineText, xattrText } from './index-text.ts';
import type { LayerIndex } from './layer-index.ts';
import type { MergedNode, MergedTree } from './merged-tree.ts';

function nodeText(tree: MergedTree, path: string, node: MergedNode): string {
  const index = tree.indexes[node.layer] as LayerIndex;
  const { entry, kind, attributes } = node;
  const owner = attributes === undefined ? undefined : (tree.indexes[attributes.layer] as LayerIndex);
  const described =
    owner === undefined || attributes === undefined
      ? '0755 0:0 0.000000000'
      : attributeText(owner, attributes.entry);
  let line = `${kind} ${described} ${path} inode=${tree.inode(node)}`;
  if (kind === 'file') line += ` object=${hexText(index.objectDigest(index.object(entry)))}`;
  if (kind === 'symlink') line += ` link=${lineText(index.linkTarget(entry))}`;
  if (kind === 'chardev' || kind === 'blockdev') {
    line += ` device=${index.devMajor(entry)}:${index.devMinor(entry)}`;
  }
  return owner === undefined || attributes === undefined ? line : line + xattrText(owner, attributes.entry);
}

/**
 * One line a path, as `formatLayerIndex` writes entries, but with the inode, and with an object's digest for its
 * number; depth first, names in byte order.
 */
export function* formatMergedTree(tree: MergedTree): Iterable<string> {
  const ahead: { path: string; node: MergedNode }[] = [{ path: '/', node: tree.root }];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const { path, node } = next;
    yield nodeText(tree, path, node);
    if (node.kind !== 'directory') continue;
    const below = path === '/' ? '' : path;
    const children = tree.readDirectory(node);
    for (const child of children.reverse()) {
      ahead.push({ path: `${below}/${lineText(child.name)}`, node: child.node });
    }
  }
}
