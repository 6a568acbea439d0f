import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/**
 * What the station asks of the mount server, in a file: a mount server that is started anew while no station runs takes
 * the same values, and a settings file that somebody is editing cannot keep it from starting.
 */
export interface MountSettings {
  /** `mount.wait`, milliseconds. */
  readonly waitMs: number;
  /** `mount.wholeAtOpen`, bytes. */
  readonly wholeAtOpen: number;
  /** `mount.readahead`, bytes. */
  readonly readahead: number;
  /** `mount.passthrough` */
  readonly passthrough: 'auto' | 'off';
  /** off: as on a kernel before 6.9, which does not send again what a killed mount server left unanswered. */
  readonly resend?: 'auto' | 'off';
  /** `log.level` */
  readonly logLevel: string;
}

const FALLBACK: MountSettings = {
  waitMs: 30_000,
  wholeAtOpen: 2 ** 20,
  readahead: 128 * 1024,
  passthrough: 'auto',
  logLevel: 'info',
};

export function writeMountSettings(
  path: string,
  { waitMs, wholeAtOpen, readahead, passthrough, resend = 'auto', logLevel }: MountSettings,
): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const settings: MountSettings = { waitMs, wholeAtOpen, readahead, passthrough, resend, logLevel };
  writeFileSync(temporary, `${JSON.stringify(settings)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

/** Usual values where there is no file, or no good one. */
export function readMountSettings(path: string): MountSettings {
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof MountSettings, unknown>>;
    const count = (name: 'waitMs' | 'wholeAtOpen' | 'readahead'): number =>
      Number.isSafeInteger(read[name]) && (read[name] as number) >= 0
        ? (read[name] as number)
        : FALLBACK[name];
    return {
      waitMs: count('waitMs'),
      wholeAtOpen: count('wholeAtOpen'),
      readahead: count('readahead'),
      passthrough: read.passthrough === 'off' ? 'off' : 'auto',
      resend: read.resend === 'off' ? 'off' : 'auto',
      logLevel: typeof read.logLevel === 'string' ? read.logLevel : FALLBACK.logLevel,
    };
  } catch {
    return FALLBACK;
  }
}
