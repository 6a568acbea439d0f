import { closeSync, writeSync } from 'node:fs';
import { type FaultRecord, toFaultRecord } from '../base/fault.ts';

/** How a station that starts in the background tells who started it how that went: one JSON line on a pipe. */
export type ReadyLine =
  | { readonly event: 'ready'; readonly peerId: string; readonly pid: number }
  | { readonly event: 'fault'; readonly fault: FaultRecord };

/** The station answers its doors now. Closes the descriptor. */
export function tellReady(fd: number, peerId: string): void {
  tell(fd, { event: 'ready', peerId, pid: process.pid });
}

/** The start failed. Closes the descriptor. */
export function tellStartFault(fd: number, thrown: unknown): void {
  tell(fd, { event: 'fault', fault: toFaultRecord(thrown) });
}

/** `undefined` where `text` is no whole line of this kind. */
export function parseReadyLine(text: string): ReadyLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<ReadyLine> | null;
    return line?.event === 'ready' || line?.event === 'fault' ? (line as ReadyLine) : undefined;
  } catch {
    return undefined;
  }
}

function tell(fd: number, line: ReadyLine): void {
  try {
    writeSync(fd, `${JSON.stringify(line)}\n`);
    closeSync(fd);
  } catch {
    // Whoever started us is gone (EPIPE): the station runs on without a listener.
  }
}
