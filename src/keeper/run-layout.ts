import { join } from 'node:path';

/**
 * What lives only as long as the machine runs, below the station's root:
 * ```
 * <root>/run/             0700: no path to an image's files past the mounts' own nosuid,nodev
 *   fuse/                 FUSE is mounted here
 *   empty/                second lower of read-only overlays, which the kernel wants
 *   keeper.sock           keeper-messages.ts, 0600
 *   mounts.sock           link-messages.ts, 0600
 *   keeper.lock           process of the keeper
 *   mount-server.json     process of the mount server, and its descriptor of /dev/fuse
 *   mount-settings.json   what the station asks of the mount server, read at its start
 *   session.json          what kernel and mount server agreed on when FUSE was mounted
 *   chains.json           chains and their numbers, from which node ids follow
 *   mounts.json           the overlays
 *   opens                 passthrough ids and READ opens by node
 *   unanswered            before Linux 6.9: requests that wait for content
 * ```
 */
export interface RunLayout {
  readonly run: string;
  readonly fuse: string;
  readonly empty: string;
  readonly keeperSocket: string;
  readonly mountsSocket: string;
  readonly keeperLock: string;
  readonly mountServer: string;
  readonly mountSettings: string;
  readonly session: string;
  readonly chains: string;
  readonly mounts: string;
  readonly opens: string;
  readonly unanswered: string;
  readonly keeperLog: string;
  readonly mountServerLog: string;
}

/** @param root absolute, links resolved: mountinfo names it so */
export function runLayout(root: string): RunLayout {
  const run = join(root, 'run');
  return {
    run,
    fuse: join(run, 'fuse'),
    empty: join(run, 'empty'),
    keeperSocket: join(run, 'keeper.sock'),
    mountsSocket: join(run, 'mounts.sock'),
    keeperLock: join(run, 'keeper.lock'),
    mountServer: join(run, 'mount-server.json'),
    mountSettings: join(run, 'mount-settings.json'),
    session: join(run, 'session.json'),
    chains: join(run, 'chains.json'),
    mounts: join(run, 'mounts.json'),
    opens: join(run, 'opens'),
    unanswered: join(run, 'unanswered'),
    keeperLog: join(root, 'keeper.log'),
    mountServerLog: join(root, 'mounts.log'),
  };
}
