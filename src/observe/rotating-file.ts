import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/** An append-only file that is renamed to `<path>.1` when it is full: at most twice `maxBytes` on disk. */
export interface RotatingFile {
  /** Appends at once: what was logged before a crash is there after it. A full disk loses the line, not the process. */
  write(line: string): void;
  close(): void;
}

export function openRotatingFile(path: string, maxBytes: number): RotatingFile {
  let fd = openSync(path, 'a', 0o600);
  let size = fstatSync(fd).size;
  const rotate = () => {
    closeSync(fd);
    renameSync(path, `${path}.1`);
    fd = openSync(path, 'a', 0o600);
    size = 0;
  };
  return {
    write: (line) => {
      const bytes = Buffer.byteLength(line);
      try {
        if (size > 0 && size + bytes > maxBytes) rotate();
        writeSync(fd, line);
        size += bytes;
      } catch {
        // ENOSPC: the operation that filled the disk reports it; a log line must not throw into it.
      }
    },
    close: () => closeSync(fd),
  };
}
