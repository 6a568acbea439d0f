import type {
  ChainSpec,
  FuseFrames,
  MountedView,
  MountServerStatus,
  OverlayMountSpec,
} from './link-messages.ts';

/** What the station asks of the mount server. A thrown Fault is the answer. */
export interface LinkHandler {
  chain(chain: ChainSpec): Promise<void> | void;
  forget(key: string): Promise<void> | void;
  /** @param signal aborted when the link is closed, not when the station goes: the mount is made all the same */
  mount(mount: OverlayMountSpec, signal: AbortSignal): Promise<MountedView>;
  unmount(target: string, lazy: boolean, signal: AbortSignal): Promise<void>;
  status(): Promise<MountServerStatus> | MountServerStatus;
  frames(): FuseFrames;
}
