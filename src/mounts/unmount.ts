import type { Syscalls } from '../syscalls/syscalls.ts';

/**
 * Unmounts what is seen at `target`.
 * @param lazy detach it now, let who uses it finish (MNT_DETACH)
 * @throws Fault `not-found/not-mounted`; `busy/mount-in-use`: `fields.processes` has `name (pid)` of who uses it as far as
 *   /proc tells, `fields.mounts` the mounts that lie in it
 */
export async function unmount(
  components: { readonly syscalls: Syscalls },
  target: string,
  options: { readonly lazy: boolean; readonly signal: AbortSignal },
): Promise<void> {
  throw new Error(`${components} ${target} ${options}`);
}
