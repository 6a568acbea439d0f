import { chmod, chown, lstat, utimes } from 'node:fs/promises';
import { toFault } from '../base/fault.ts';
import type { Logger } from '../observe/logger.ts';
import type { Syscalls } from '../syscalls/syscalls.ts';

/**
 * Gives the folder `upper` what the folder `lower` has of mode, owner, xattrs (ACLs are some) and time of change: an
 * overlay shows the upper's own attributes for its root. xattrs go as they are, those of overlayfs's own in the escaped
 * form in which a tree of ours shows them. What the upper's filesystem has no xattrs for is left out, and said.
 * @throws what reading and changing them fails with
 */
export async function dressUpper(
  { syscalls, logger }: { readonly syscalls: Pick<Syscalls, 'xattrs' | 'setXattr'>; readonly logger: Logger },
  lower: string,
  upper: string,
): Promise<void> {
  const { mode, uid, gid, atimeNs, mtimeNs } = await lstat(lower, { bigint: true });
  // The owner first: chown(2) takes setuid bits away.
  await chown(upper, Number(uid), Number(gid));
  await chmod(upper, Number(mode) & 0o7777);
  for (const xattr of await syscalls.xattrs(lower)) {
    try {
      await syscalls.setXattr(upper, xattr);
    } catch (error) {
      if (toFault(error).fields['errno'] !== 'EOPNOTSUPP') throw error;
      const name = Buffer.from(xattr.name).toString('latin1');
      logger.warn({ upper, name }, `the root of a writable mount has no ${name}: its filesystem keeps none`);
    }
  }
  // Seconds as doubles: within a quarter of a microsecond.
  await utimes(upper, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
}
