import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Fault } from '../base/fault.ts';

/** Brings everything of one filesystem to disk; all that ask while one sync runs share the next. */
export interface DiskSync {
  sync(): Promise<void>;
}

const SYNC_COMMANDS = ['/usr/bin/sync', '/bin/sync'];

/**
 * syncfs(2) by `sync -f` (coreutils 8.24, busybox 1.36): Node has no syncfs, and a fsync for each of 10,000 files costs
 * 0.5 ms each.
 */
export function createDiskSync(folder: string): DiskSync {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const done = syncFilesystem(folder).finally(() => {
      running = undefined;
    });
    running = done;
    return done;
  };
  return {
    sync() {
      if (running === undefined) return start();
      // One that runs may have passed the caller's files already.
      next ??= running
        .catch(() => {})
        .then(() => {
          next = undefined;
          return start();
        });
      return next;
    },
  };
}

async function syncFilesystem(folder: string): Promise<void> {
  const command = SYNC_COMMANDS.find((path) => existsSync(path));
  if (command === undefined) {
    throw new Fault('unsupported', 'no-sync-command', 'no sync command: install coreutils', {
      fields: { looked: SYNC_COMMANDS },
    });
  }
  return new Promise((resolve, reject) => {
    execFile(command, ['-f', folder], (error, _stdout, stderr) => {
      if (error === null) return resolve();
      reject(
        new Fault('internal', 'sync-failed', `sync -f ${folder} failed: ${stderr.trim() || error.message}`, {
          fields: { path: folder },
          cause: error,
        }),
      );
    });
  });
}
