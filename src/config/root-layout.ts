import { join, resolve } from 'node:path';

/** Where a root lies when neither `--root` nor SHP_ROOT says so. */
export const DEFAULT_ROOT = '/var/lib/shp';

/**
 * ```
 * <root>/               0700
 *   identity.key        the station's Ed25519 key, libp2p's protobuf form, 0600
 *   swarm.key           the private network's key, 0600; not there: the public network
 *   settings.toml
 *   control.sock        the control door, 0600
 *   station.pid         held locked by the running station
 *   station.log         and station.log.1, the one before
 *   cas/ partial/ meta/ the store's
 * ```
 */
export interface RootLayout {
  readonly root: string;
  readonly identity: string;
  readonly networkKey: string;
  readonly settings: string;
  readonly controlSocket: string;
  readonly pid: string;
  readonly log: string;
  readonly previousLog: string;
}

/** @param root made absolute */
export function rootLayout(root: string): RootLayout {
  const at = resolve(root);
  return {
    root: at,
    identity: join(at, 'identity.key'),
    networkKey: join(at, 'swarm.key'),
    settings: join(at, 'settings.toml'),
    controlSocket: join(at, 'control.sock'),
    pid: join(at, 'station.pid'),
    log: join(at, 'station.log'),
    previousLog: join(at, 'station.log.1'),
  };
}
