import type { FilesystemView } from '../fuse/filesystem-contract.ts';

/** A view whose root is a folder of another one. */
export function belowPath(view: FilesystemView, folder: string, close: () => void): FilesystemView {
  const at = (path: string) => (path === '' ? folder : `${folder}/${path}`);
  return {
    stat: (path) => view.stat(at(path)),
    list: (path) => view.list(at(path)),
    read: (path, offset, size) => view.read(at(path), offset, size),
    link: (path) => view.link(at(path)),
    xattr: (path, name) => view.xattr(at(path), name),
    xattrNames: (path) => view.xattrNames(at(path)),
    seek: (path, offset, to) => view.seek(at(path), offset, to),
    async [Symbol.asyncDispose]() {
      await view[Symbol.asyncDispose]();
      close();
    },
  };
}
