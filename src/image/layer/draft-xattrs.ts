import { entryFault } from './draft-fault.ts';
import { latin1 } from './latin1.ts';
import type { Xattr } from './layer-index.ts';
import type { LayerLimits } from './layer-limits.ts';
import { encodeXattrSet, sortXattrs } from './xattr-set.ts';

/** The kernel's XATTR_NAME_MAX. */
const MAX_XATTR_NAME = 255;
const NONE: readonly Xattr[] = [];

/** Sets of extended attributes, each kept once. */
export interface DraftXattrs {
  /**
   * Those of `old` with `added` over them, as setxattr does: what the tar does not name stays.
   * @param path of the tar entry, for messages
   * @throws Fault `invalid/bad-xattr`, `invalid/xattrs-too-big`
   */
  merge(old: readonly Xattr[], added: readonly Xattr[], path: Uint8Array): readonly Xattr[];
}

export function createDraftXattrs(limits: LayerLimits): DraftXattrs {
  const sets = new Map<string, readonly Xattr[]>();
  let total = 0;
  return {
    merge(old, added, path) {
      if (added.length === 0) return old.length === 0 ? NONE : old;
      const byName = new Map(old.map((xattr) => [latin1(xattr.name), xattr]));
      for (const xattr of added) {
        if (xattr.name.length === 0 || xattr.name.length > MAX_XATTR_NAME || xattr.name.includes(0)) {
          throw entryFault(
            'bad-xattr',
            path,
            `has an extended attribute whose name has ${xattr.name.length} bytes`,
          );
        }
        byName.set(latin1(xattr.name), xattr);
      }
      let size = 0;
      for (const { name, value } of byName.values()) size += name.length + value.length;
      if (size > limits.entryXattrBytes) {
        throw entryFault('xattrs-too-big', path, `has ${size} bytes of extended attributes`, {
          limit: limits.entryXattrBytes,
        });
      }
      const sorted = sortXattrs([...byName.values()]);
      const key = latin1(encodeXattrSet(sorted));
      const known = sets.get(key);
      if (known !== undefined) return known;
      total += key.length;
      if (total > limits.xattrBytes) {
        throw entryFault(
          'xattrs-too-big',
          path,
          `brings the layer to ${total} bytes of extended attributes`,
          {
            limit: limits.xattrBytes,
          },
        );
      }
      const copy = sorted.map(({ name, value }) => ({
        name: new Uint8Array(name),
        value: new Uint8Array(value),
      }));
      sets.set(key, copy);
      return copy;
    },
  };
}
