import { setTimeout as sleep } from 'node:timers/promises';
import { toFault } from '../../base/fault.ts';
import type { KeeperStatus } from '../../keeper/keeper-messages.ts';
import type { Logger } from '../../observe/logger.ts';
import type { KeeperHold } from './keeper-hold.ts';
import type { LinkHold } from './link-hold.ts';

export interface UpgradedProcesses {
  readonly keeper: KeeperHold;
  readonly link: LinkHold;
  readonly logger: Logger;
}

/** The old keeper ends right behind its answer. */
const POLL_MS = 50;

/**
 * Keeper and mount server that an earlier version of the package started make way for those of this one, one after the
 * other, under the mounts; readers notice nothing. Once: what does not go well is logged, and the next start tries again.
 * @param version of this package
 */
export async function upgradeProcesses(
  { keeper, link, logger }: UpgradedProcesses,
  version: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const kept = (await keeper.ask({ ask: 'status' }, signal)) as KeeperStatus;
    if (kept.version !== version) {
      logger.info(
        { pid: kept.pid, from: kept.version, to: version },
        'the keeper is replaced by our version',
      );
      await keeper.ask({ ask: 'replace-keeper' }, signal);
      for (let now = kept; now.pid === kept.pid; ) {
        await sleep(POLL_MS, undefined, { signal });
        await keeper.ensure(signal);
        now = (await keeper.ask({ ask: 'status' }, signal).catch(() => kept)) as KeeperStatus;
      }
    }
    const { pid, version: serving } = await link.call((client) => client.status(signal), signal);
    if (serving !== version) {
      logger.info({ pid, from: serving, to: version }, 'the mount server is replaced by our version');
      await keeper.ask({ ask: 'replace-mount-server' }, signal);
      await link.client(signal);
    }
  } catch (error) {
    logger.warn({ error: toFault(error).message }, 'processes of another version go on behind the mounts');
  }
}
