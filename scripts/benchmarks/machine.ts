import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Lets what earlier work left behind come to rest: written to disk, and a moment for daemons' own afterwork. */
export async function settle(): Promise<void> {
  await execute('sync');
  await sleep(1000);
}

/** Seconds that `work` takes on a machine at rest. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  await settle();
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function statusBytes(pid: number, field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) * 1024;
}

/** Bytes of resident memory of one process (VmRSS; proc(5)). */
export function residentBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** The most it was while `work` ran, in bytes: the kernel's own high-water mark, reset before (clear_refs 5; proc(5)). */
export async function peakResidentBytes(pid: number, work: () => Promise<unknown>): Promise<number> {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  await work();
  return statusBytes(pid, 'VmHWM');
}

/** Bytes that the process handed to the disk so far (write_bytes; proc(5)). */
export function writtenBytes(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}
