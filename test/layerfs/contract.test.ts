import { contractTree } from '../fuse/contract-tree.ts';
import { describeFilesystem } from '../fuse/filesystem-contract.ts';
import { openFrameView } from '../fuse/frame-view.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { chainRecord, serveLayers } from './served-layers.ts';
import { type StoredEntry, storeLayer } from './stored-layers.ts';
import { belowPath } from './view-below.ts';

/** Objects are data everywhere, and one of 2^50 bytes would need 128 GiB of leaf hashes. */
const WITHOUT = ['sparse', 'huge'];

function storedTree(): StoredEntry[] {
  return contractTree()
    .filter(({ path }) => !WITHOUT.includes(path))
    .map(({ path, kind, mode, target, content, ...rest }) => ({
      type: kind,
      path: path === '' ? './' : path,
      mode: mode ?? 0o755,
      ...(target !== undefined && { link: target }),
      ...(content !== undefined && { content }),
      ...(rest.uid !== undefined && { uid: rest.uid }),
      ...(rest.gid !== undefined && { gid: rest.gid }),
      ...(rest.mtime !== undefined && { mtime: rest.mtime }),
      ...(rest.mtimeNanos !== undefined && { mtimeNanos: rest.mtimeNanos }),
      ...(rest.device !== undefined && { device: rest.device }),
      ...(rest.xattrs !== undefined && { xattrs: rest.xattrs }),
    }))
    .map((entry) => {
      // A tar says a hard link's attributes again: the last header counts.
      const target = entry.type === 'hardlink' && contractTree().find(({ path }) => path === entry.link);
      if (!target) return entry as StoredEntry;
      const { mode = 0o755, uid = 0, gid = 0, mtimeNanos = 0 } = target;
      return { ...entry, mode, uid, gid, mtimeNanos } as StoredEntry;
    });
}

describeFilesystem(
  'a chain of one layer behind frames',
  async () => {
    const folder = tempFolder('layerfs');
    const served = serveLayers(folder.path);
    served.command({ do: 'add', chain: chainRecord([storeLayer(folder.path, storedTree())]) });
    return belowPath(openFrameView(served.layerfs.filesystem), 't/chain', () => {
      served.layerfs.close();
      folder[Symbol.dispose]();
    });
  },
  WITHOUT,
);
