import type { Clock } from '../base/clock.ts';
import type { Logger } from '../observe/logger.ts';
import type { Store } from '../store/store.ts';
import type { Swarm } from '../swarm/swarm.ts';
import type { TransferLimits } from './transfer-limits.ts';

export interface TransferComponents {
  readonly store: Store;
  readonly swarm: Swarm;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface TransferSettings {
  readonly limits: TransferLimits;
  readonly keepBlobs: 'auto' | 'always' | 'never';
  /** `share` with `auto` resolved. */
  readonly share: 'pushed' | 'pulled' | 'none';
  /** `os/arch[/variant]` of this machine. */
  readonly platform: string;
  /** Bytes that must stay free on the disk. */
  readonly reserveBytes: number;
  readonly root: string;
}
