import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../image/command.ts';
import type { CommandStation } from '../station/station.ts';

export interface LazyMountShow {
  /** Where the mountpoint is made. */
  readonly folder: string;
  /** Has nothing of the image, and is connected to a station that has it. */
  readonly cold: CommandStation;
  readonly address: string;
  readonly say: (line?: string) => void;
}

const PROGRAM = 'import json, ssl; print("ready")';
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** Why images cannot be mounted here, or nothing. */
export function whyNoMounts(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  if (!existsSync('/dev/fuse')) return 'this kernel offers no /dev/fuse (modprobe fuse)';
  return undefined;
}

/** Mounts the image at a station that has nothing of it, starts python in it, and shows what that took. */
export async function showLazyMount({ folder, cold, address, say }: LazyMountShow): Promise<void> {
  const mountpoint = join(folder, 'mnt');
  mkdirSync(mountpoint, { recursive: true });
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(2)} s`;
  say(`> dkr-shp mount ${address} ./mnt   # venus`);
  try {
    const mounted = await cold.run('mount', address, mountpoint);
    say(`  ${mounted.trim().split('\n').at(-1)}  (${seconds()})`);
  } catch (error) {
    const { message } = error as Error;
    if (!/fuse/i.test(message)) throw error;
    say(`  not here: ${message.trim().split('\n').at(-1)}`);
    return;
  }
  try {
    say(`> chroot ./mnt python3 -c '${PROGRAM}'`);
    const said = await run('chroot', [mountpoint, 'python3', '-c', PROGRAM]);
    const time = seconds();
    const { mounts } = await cold.status();
    const image = mounts.mounts.find(({ target }) => target === mountpoint)?.image;
    if (said.trim() !== 'ready' || image === undefined)
      throw new Error(`python said ${JSON.stringify(said)}`);
    say(
      `  ready ${time} after the mount began, with ${megabytes(image.here)} of the image's ${megabytes(image.bytes)} here (${megabytes(image.wireBytes)} over the wire)`,
    );
  } finally {
    say('> dkr-shp umount ./mnt                       # venus');
    say(`  ${(await cold.run('umount', mountpoint)).trim()}`);
  }
}
