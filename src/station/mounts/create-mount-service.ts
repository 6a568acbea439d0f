import type { Clock } from '../../base/clock.ts';
import type { SpawnSpec } from '../../keeper/keeper-messages.ts';
import type { Logger } from '../../observe/logger.ts';
import type { LazyImages } from '../../transfer/lazy/lazy-images.ts';
import type { MountService } from './mount-service.ts';

export interface MountServiceComponents {
  readonly lazy: LazyImages;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface MountServiceSettings {
  readonly root: string;
  /** How the keeper starts this station anew; absent: somebody else does (systemd). */
  readonly respawn?: SpawnSpec;
  /** `mount.wait`, milliseconds. */
  readonly waitMs: number;
  /** `mount.wholeAtOpen`, bytes. */
  readonly wholeAtOpen: number;
  /** `mount.readahead`, bytes. */
  readonly readahead: number;
  /** `mount.passthrough` */
  readonly passthrough: 'auto' | 'off';
  /** `log.level` of keeper and mount server. */
  readonly logLevel: string;
}

/** See {@link MountService}. */
export function createMountService(
  _components: MountServiceComponents,
  _settings: MountServiceSettings,
): MountService {
  throw new Error('not built yet');
}
