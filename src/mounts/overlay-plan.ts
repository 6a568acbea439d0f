import { isAbsolute, join } from 'node:path';
import { Fault } from '../base/fault.ts';
import { MAX_MOUNT_DATA, type MountCall, type MountFlag } from '../syscalls/syscalls.ts';
import type { OverlayMountSpec } from './link/link-messages.ts';

/** The source of our overlays: what mount(8) and mountinfo show in the first column. */
export const OVERLAY_SOURCE = 'shp';

export interface OverlayPaths {
  /** Where the FUSE filesystem is mounted: `<root>/run/fuse`. */
  readonly fuse: string;
  /** A folder with nothing in it: `<root>/run/empty`. */
  readonly empty: string;
}

/** Where the merged tree of a chain is seen. @throws Fault `invalid/bad-chain-key` */
export function chainFolder(fuse: string, key: string): string {
  // a CID's text or hex digits: never a way out of t/
  if (!/^[0-9A-Za-z]{1,128}$/.test(key)) {
    throw new Fault('invalid', 'bad-chain-key', `not the key of a chain: ${JSON.stringify(key)}`, {
      fields: { chain: key },
    });
  }
  return join(fuse, 't', key);
}

/**
 * The calls that put an overlay on a chain at `spec.target`, in order.
 * @throws Fault `invalid/mount-options-too-long`, `invalid/bad-chain-key`, `invalid/bad-mount-path`
 */
export function planOverlay(spec: OverlayMountSpec, { fuse, empty }: OverlayPaths): readonly MountCall[] {
  const tree = chainFolder(fuse, spec.chain);
  const { target, upper } = spec;
  for (const path of [target, tree, empty, ...(upper === undefined ? [] : [upper.upper, upper.work])]) {
    if (!isAbsolute(path) || path.includes('\0')) throw badPath(path, target);
  }
  const data = [
    // lowerdir takes the topmost layer first. A read-only overlay needs two of them (overlayfs.rst, "Multiple lower
    // layers": at least two lowers where there is no upper), so an empty one lies below.
    upper === undefined
      ? `lowerdir=${escapeOption(tree)}:${escapeOption(empty)}`
      : `lowerdir=${escapeOption(tree)}`,
    ...(upper === undefined
      ? []
      : [`upperdir=${escapeOption(upper.upper)}`, `workdir=${escapeOption(upper.work)}`]),
    // Kernels differ in their defaults (CONFIG_OVERLAY_FS_METACOPY, _REDIRECT_DIR, _INDEX). Off, an upper is complete by
    // itself: a later diff reads it without the lower, and a chown copies the file's content up.
    'metacopy=off',
    'redirect_dir=off',
    'index=off',
  ].join(',');
  if (Buffer.byteLength(data) > MAX_MOUNT_DATA) throw tooLong(data, target);
  return [{ source: OVERLAY_SOURCE, target, type: 'overlay', flags: flagsOf(spec), data }];
}

function flagsOf({ upper, suid, dev }: OverlayMountSpec): MountFlag[] {
  const flags: MountFlag[] = [];
  if (upper === undefined) flags.push('rdonly');
  if (suid !== true) flags.push('nosuid');
  if (dev !== true) flags.push('nodev');
  return flags;
}

/**
 * A path as overlayfs reads it: options end at a comma (fs/overlayfs/params.c, ovl_next_opt), lowers at a colon
 * (ovl_parse_param_split_lowerdirs), unless a backslash stands before; it is taken off once, of upperdir and workdir too
 * (ovl_unescape).
 */
function escapeOption(path: string): string {
  return path.replace(/[\\,:]/g, '\\$&');
}

function badPath(path: string, target: string): Fault {
  return new Fault('invalid', 'bad-mount-path', `not an absolute path: ${JSON.stringify(path)}`, {
    fields: { path, target },
  });
}

function tooLong(data: string, target: string): Fault {
  const bytes = Buffer.byteLength(data);
  return new Fault(
    'invalid',
    'mount-options-too-long',
    `the folders of this mount make ${bytes} bytes of options, the kernel takes ${MAX_MOUNT_DATA}: use a root with a shorter path (dkr-shp --root)`,
    { fields: { target, bytes, limit: MAX_MOUNT_DATA } },
  );
}
