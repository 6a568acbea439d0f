import type { Libc, LibcFunction, LibcResult } from './libc.ts';

/** An extended attribute; the name's bytes without a zero. */
export interface PathXattr {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** xattr(7): a list of names, and a value, have at most 64 KiB each. */
const MOST = 65_536;

/** Calls of lgetxattr(2) and its kin, each on a thread of libuv's pool. */
export interface XattrCalls {
  list(path: string, into: Uint8Array): Promise<LibcResult>;
  get(path: string, name: Uint8Array, into: Uint8Array): Promise<LibcResult>;
  set(path: string, name: Uint8Array, value: Uint8Array): Promise<LibcResult>;
}

export function bindXattrCalls(libc: Libc): XattrCalls {
  const list = libc('long llistxattr(const char *path, void *list, size_t size)');
  const get = libc('long lgetxattr(const char *path, const void *name, void *value, size_t size)');
  const set = libc(
    'int lsetxattr(const char *path, const void *name, const void *value, size_t size, int flags)',
  );
  // koffi passes on the address of a buffer alone: what a thread of the pool works on is kept alive here.
  const inUse = new Set<readonly unknown[]>();
  const later = async (call: LibcFunction, ...args: readonly unknown[]): Promise<LibcResult> => {
    inUse.add(args);
    try {
      return await call.callLater(...args);
    } finally {
      inUse.delete(args);
    }
  };
  return {
    list: (path, into) => later(list, path, into, into.length),
    get: (path, name, into) => later(get, path, ended(name), into, into.length),
    set: (path, name, value) => later(set, path, ended(name), Buffer.from(value), value.length, 0),
  };
}

/**
 * Of `path` itself, links not followed.
 * @param check throws where a call failed
 */
export async function readXattrs(
  calls: XattrCalls,
  path: string,
  check: (result: LibcResult) => number,
): Promise<PathXattr[]> {
  const room = Buffer.alloc(MOST);
  const names = Buffer.from(room.subarray(0, check(await calls.list(path, room))));
  const xattrs: PathXattr[] = [];
  for (let at = 0; at < names.length; ) {
    const end = names.indexOf(0, at);
    const name = names.subarray(at, end);
    const length = check(await calls.get(path, name, room));
    xattrs.push({ name, value: Buffer.from(room.subarray(0, length)) });
    at = end + 1;
  }
  return xattrs;
}

const ended = (name: Uint8Array): Buffer => Buffer.concat([name, Buffer.of(0)]);
