/** What the store may be told; the config room makes one from the settings file. */
export interface StoreSettings {
  /** Milliseconds for which the data of an interrupted push or pull is kept for a second run. */
  readonly keepInterruptedMs: number;
  /** Content bytes of cached images above which the least recently used go. */
  readonly cacheMaxBytes: number;
  /** One syncfs before an image record is written. Off only where power loss does not matter (tests). */
  readonly syncOnPin: boolean;
  /** Milliseconds from the removal of an image to the sweep that gives its disk back. */
  readonly sweepDelayMs: number;
  /** Bytes of disk that files and blocks leave free: the database must be able to commit on a disk that is full. */
  readonly reserveBytes: number;
  /** Address space of the database in bytes; it takes disk only for what it holds. */
  readonly databaseMaxBytes: number;
  /** Stands for this boot of the machine; absent: the kernel's (`/proc/sys/kernel/random/boot_id`). */
  readonly bootId?: string;
}

export const defaultStoreSettings: StoreSettings = {
  keepInterruptedMs: 7 * 24 * 3600 * 1000,
  cacheMaxBytes: 20 * 1024 ** 3,
  syncOnPin: true,
  sweepDelayMs: 5_000,
  reserveBytes: 64 * 1024 ** 2,
  databaseMaxBytes: 64 * 1024 ** 3,
};
