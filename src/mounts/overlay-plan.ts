import type { MountCall } from '../syscalls/syscalls.ts';
import type { OverlayMountSpec } from './link/link-messages.ts';

export interface OverlayPaths {
  /** Where the FUSE filesystem is mounted: `<root>/run/fuse`. */
  readonly fuse: string;
  /** A folder with nothing in it: `<root>/run/empty`. */
  readonly empty: string;
}

/**
 * The calls that put a chain under an overlay at `spec.target`, in order.
 * @throws Fault `invalid/mount-options-too-long`, `invalid/bad-chain-key`, `invalid/bad-mount-path`
 */
export function planOverlay(spec: OverlayMountSpec, paths: OverlayPaths): readonly MountCall[] {
  throw new Error(`${spec} ${paths}`);
}
