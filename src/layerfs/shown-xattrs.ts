import type { LayerIndex, Xattr } from '../image/layer/layer-index.ts';

/** The names by which overlayfs steers itself (overlayfs.rst, "Nesting overlayfs mounts"). */
const OVERLAY = Buffer.from('trusted.overlay.');
const ESCAPED = Buffer.from('trusted.overlay.overlay.');
const INSERTED = Buffer.from('overlay.');

/**
 * An entry's xattrs as they are shown to the overlay that lies on the tree.
 *
 * A layer may hold overlayfs's own (an image that was made inside a container, or by somebody who wants a file to show
 * another one's content by `trusted.overlay.redirect`). They must not act on our overlay, so they are shown with
 * `overlay.` once more, as overlayfs itself writes them for one that lies on it. From Linux 6.7 on the overlay shows them
 * under the layer's names again; before, it hides them.
 */
export interface ShownXattrs {
  /** @param name as the kernel asks for it */
  value(index: LayerIndex, entry: number, name: Uint8Array): Uint8Array | undefined;
  /** Each with a 0 byte behind it. */
  names(index: LayerIndex, entry: number): Uint8Array;
}

export const shownXattrs: ShownXattrs = {
  value(index, entry, name) {
    const wanted = layerName(name);
    return wanted === undefined ? undefined : find(index.xattrs(entry), wanted)?.value;
  },
  names(index, entry) {
    const parts: Uint8Array[] = [];
    for (const { name } of index.xattrs(entry)) parts.push(shownName(name), NUL);
    return parts.length === 0 ? NO_BYTES : Buffer.concat(parts);
  },
};

/**
 * Whether no layer can have an xattr that is shown by this name. Overlayfs asks for `trusted.overlay.metacopy` of every
 * file that it looks up: answered without looking for the file.
 */
export function isNeverShown(name: Uint8Array): boolean {
  return startsWith(name, OVERLAY) && !startsWith(name, ESCAPED);
}

const NO_BYTES = new Uint8Array(0);
const NUL = new Uint8Array(1);

function layerName(shown: Uint8Array): Uint8Array | undefined {
  if (!startsWith(shown, OVERLAY)) return shown;
  if (!startsWith(shown, ESCAPED)) return undefined;
  return Buffer.concat([OVERLAY, shown.subarray(ESCAPED.length)]);
}

function shownName(name: Uint8Array): Uint8Array {
  if (!startsWith(name, OVERLAY)) return name;
  return Buffer.concat([OVERLAY, INSERTED, name.subarray(OVERLAY.length)]);
}

function find(xattrs: readonly Xattr[], name: Uint8Array): Xattr | undefined {
  return xattrs.find((xattr) => Buffer.compare(xattr.name, name) === 0);
}

function startsWith(name: Uint8Array, prefix: Uint8Array): boolean {
  if (name.length < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) if (name[at] !== prefix[at]) return false;
  return true;
}
