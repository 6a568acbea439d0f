/** The command line's way into the station: HTTP on a unix socket; `createControlDoor` makes it. */
export interface ControlDoor {
  /**
   * Listens on `path` (mode 0600). The socket of a dead station is replaced.
   * @throws Fault `busy/already-running` when a living station answers there, `denied/socket-not-writable`
   */
  listen(path: string): Promise<void>;
  /** Aborts what runs, waits for the answers to end (5 s at most), removes the socket. Idempotent. */
  close(): Promise<void>;
}
