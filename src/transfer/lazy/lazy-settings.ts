/** What the settings say of images that are used before they are here. */
export interface LazySettings {
  /** `mount.wait`: how long a read waits for peers, in milliseconds. */
  readonly waitMs: number;
  /** `fetch.background`: whether the rest of an image comes by itself. */
  readonly background: 'auto' | 'off';
  /** `fetch.backgroundRate`: plain bytes a second of all images together; 0: no limit. */
  readonly backgroundRate: number;
  /** `fetch.backgroundQuiet`: the background begins when no read has waited for so many milliseconds. */
  readonly backgroundQuietMs: number;
  /** `profile.record` */
  readonly recordProfiles: boolean;
  /** `profile.window`: how long after a mount first uses count, in milliseconds. */
  readonly profileWindowMs: number;
  /** `profile.runs`: how many runs are merged. */
  readonly profileRuns: number;
}
