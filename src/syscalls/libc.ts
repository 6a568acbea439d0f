import { createRequire } from 'node:module';
import { Fault } from '../base/fault.ts';

type Koffi = typeof import('koffi');
type LibraryHandle = import('koffi').LibraryHandle;

/** A function of the libc whose -1 means that errno says why. */
export interface LibcFunction {
  /** On this thread. */
  call(...args: unknown[]): LibcResult;
  /** On a thread of libuv's pool (koffi queues it as a napi_async_work). */
  callLater(...args: unknown[]): Promise<LibcResult>;
}

/** `errno` means something only where `value` is -1. */
export interface LibcResult {
  readonly value: number;
  readonly errno: number;
}

/** Gives a function by its C prototype. A variadic one is declared with the arguments it is called with. */
export type Libc = (prototype: string) => LibcFunction;

/** @throws Fault `unsupported/no-syscalls` where koffi has no build for this machine or cannot be found */
export function loadLibc(): Libc {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const library = openLibc(koffi);
    return (prototype) => bind(koffi, library, prototype);
  } catch (error) {
    throw new Fault(
      'unsupported',
      'no-syscalls',
      `koffi cannot be loaded on ${process.platform} ${process.arch}, and nothing can be mounted without it: install dkr-shp anew on this machine, with its optional packages`,
      { cause: error, fields: { platform: process.platform, arch: process.arch } },
    );
  }
}

/** glibc by its name; musl has no file of that name, there the process itself has its symbols. */
function openLibc(koffi: Koffi): LibraryHandle {
  try {
    return koffi.load('libc.so.6');
  } catch {
    return koffi.load(null);
  }
}

function bind(koffi: Koffi, library: LibraryHandle, prototype: string): LibcFunction {
  const native = library.func(prototype);
  return {
    call(...args) {
      const value = native(...args) as number;
      return { value, errno: value === -1 ? koffi.errno() : 0 };
    },
    callLater(...args) {
      return new Promise((resolve, reject) => {
        native.async(...args, (error: unknown, value: number) => {
          // koffi keeps the errno of the pool's thread and sets it on this one for the length of this callback (its
          // call.cc, AsyncCall::Execute and Complete): it must be read before anything else runs.
          const errno = koffi.errno();
          if (error === null) resolve({ value, errno });
          else reject(error);
        });
      });
    },
  };
}
