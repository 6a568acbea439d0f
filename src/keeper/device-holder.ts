import { closeSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identityOf, isRunning, type ProcessIdentity } from '../config/process-identity.ts';
import type { Syscalls } from '../syscalls/syscalls.ts';

/** The process that serves the kernel's requests, and its descriptor of /dev/fuse. */
export interface DeviceHolder extends ProcessIdentity {
  readonly device: number;
}

/** Notes who holds the device, so that a keeper that knows nothing finds it. */
export function noteDeviceHolder(path: string, pid: number, device: number): void {
  const identity = identityOf(pid);
  if (identity === undefined) return;
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, `${JSON.stringify({ ...identity, device })}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

/** The living one; `undefined` where there is none. */
export function deviceHolder(path: string): DeviceHolder | undefined {
  try {
    const { pid, start, device } = JSON.parse(readFileSync(path, 'utf8')) as DeviceHolder;
    return isRunning({ pid, start }) ? { pid, start, device } : undefined;
  } catch {
    return undefined;
  }
}

export function forgetDeviceHolder(path: string): void {
  rmSync(path, { force: true });
}

/** Our own descriptor of what it holds (Linux 5.6 and later); `undefined` where that is no FUSE device or cannot be had. */
export function takeDevice(
  syscalls: Pick<Syscalls, 'takeFd'>,
  { pid, device }: DeviceHolder,
): number | undefined {
  let taken: number;
  try {
    taken = syscalls.takeFd(pid, device);
  } catch {
    return undefined;
  }
  if (readlinkSync(`/proc/self/fd/${taken}`) === '/dev/fuse') return taken;
  closeSync(taken);
  return undefined;
}
