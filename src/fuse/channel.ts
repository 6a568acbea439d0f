/** Where frames come from and go to: /dev/fuse, or memory in tests. */
export interface FuseChannel {
  /**
   * One whole request, blocking. @returns its bytes; 0 when it was interrupted or withdrawn: call again; -1 when the
   * connection has ended (unmounted or aborted)
   */
  read(into: Uint8Array): number;
  /** One whole reply or notification. A reply whose request is gone (ENOENT) is dropped silently. */
  write(frame: Uint8Array): void;
  /** The same, head and body apart: a body of 1 MiB is not copied. */
  writeParts(head: Uint8Array, body: Uint8Array): void;
}
