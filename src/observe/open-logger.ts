import { pino } from 'pino';
import type { Logger } from './logger.ts';
import { openRotatingFile } from './rotating-file.ts';

/** A log file holds so many bytes before it is set aside as `.1`. */
const MAX_LOG_BYTES = 10 * 2 ** 20;

export interface OpenedLogger {
  readonly log: Logger;
  close(): void;
}

/**
 * One JSON line an entry.
 * @param file where to; absent: stderr, for systemd and containers, which keep it themselves
 */
export function openLogger(options: { readonly level: string; readonly file?: string }): OpenedLogger {
  const settings = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (options.file === undefined) {
    return { log: pino(settings, pino.destination({ fd: 2, sync: true })), close: () => {} };
  }
  const file = openRotatingFile(options.file, MAX_LOG_BYTES);
  return { log: pino(settings, file), close: () => file.close() };
}
