import type { Clock } from '../base/clock.ts';
import type { FuseFilesystem } from '../fuse/filesystem.ts';
import type { Logger } from '../observe/logger.ts';
import type { Syscalls } from '../syscalls/syscalls.ts';
import type { LayerfsCommand, LayerfsEvent, Mailbox } from './chain-messages.ts';

/** Everything that the FUSE thread answers: merged trees of layers and their content. */
export interface Layerfs {
  readonly filesystem: FuseFilesystem;
  /** To be called before each request: hears the main thread when the counter moved, sends what is due. Costs nothing else. */
  poll(): void;
  /**
   * What INIT agreed on. Until it is called every open is READ. A node that has a passthrough id from before a restart
   * keeps it whatever is said here.
   * @param why in plain words, where it is off
   */
  passthrough(on: boolean, why?: string): void;
  /** Closes all files. */
  close(): void;
}

export interface LayerfsComponents {
  readonly mailbox: Mailbox<LayerfsEvent, LayerfsCommand>;
  /** Element 0 is raised by the main thread after each message it posted. */
  readonly counter: Int32Array;
  /** The number of the open /dev/fuse. */
  readonly fuseDevice: number;
  readonly syscalls: Pick<Syscalls, 'backingOpen' | 'backingClose'>;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface LayerfsSettings {
  /** The store's root: `cas/` and `partial/` lie below it. */
  readonly root: string;
  /** The slot file, `<root>/run/opens`. */
  readonly opens: string;
  /** The FUSE connection is an earlier mount server's: its slot file counts; else it is emptied. */
  readonly resumed: boolean;
  /** Bytes: a missing object up to this is fetched whole when it is opened. */
  readonly wholeAtOpen: number;
  /** Bytes of decoded indexes kept at a time; default 48 MiB. */
  readonly indexBytes?: number;
  /** Files open for reading at a time; default 256. */
  readonly maxFiles?: number;
}
