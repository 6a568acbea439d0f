/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  /** `major:minor`, the st_dev of files on it. */
  readonly device: string;
  /** Which folder of the filesystem is shown. */
  readonly root: string;
  readonly target: string;
  /** Of this mount: `ro`, `nosuid`, … */
  readonly options: readonly string[];
  readonly filesystem: string;
  readonly source: string;
  /** Of the filesystem: for overlay `lowerdir=…`. */
  readonly superOptions: string;
}

/** All mounts, in the order in which they were made. A line that is none is left out. */
export function parseMountInfo(text: string): MountInfo[] {
  throw new Error(text);
}

/** What is seen at `target`: of several mounts on each other the one made last. */
export function mountAt(mounts: readonly MountInfo[], target: string): MountInfo | undefined {
  throw new Error(`${mounts} ${target}`);
}

/** Mounts of one type, by source too where it is given. */
export function mountsOfType(mounts: readonly MountInfo[], filesystem: string, source?: string): MountInfo[] {
  throw new Error(`${mounts} ${filesystem} ${source}`);
}

/** Reads the mounts of this process: procfs asks no filesystem. */
export async function readMountInfo(): Promise<MountInfo[]> {
  throw new Error('not built yet');
}
