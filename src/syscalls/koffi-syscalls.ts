import type { Syscalls } from './syscalls.ts';

/**
 * The calls of the libc that runs this process (glibc or musl), through koffi. Nothing is loaded before the first call.
 * @throws Fault (each call) `unsupported/no-syscalls` where koffi has no build for this machine
 */
export function createSyscalls(): Syscalls {
  throw new Error('not built yet');
}
