import { writeFile } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';

const BACKING_DEVICES = '/sys/class/bdi';

/**
 * Sets how far the kernel reads ahead on a mount. It may fall at any time (a remount makes a new device), so the caller
 * treats a failure as slower, not as wrong.
 * @param device `major:minor` as /proc/self/mountinfo has it: a stat would ask the mount itself, which may not answer yet
 * @throws Fault `invalid/bad-device`; `unsupported/no-readahead` where the kernel has no such device or refuses
 */
export async function setReadahead(
  device: string,
  kibibytes: number,
  backingDevices: string = BACKING_DEVICES,
): Promise<void> {
  if (!/^\d+:\d+$/.test(device)) {
    throw new Fault('invalid', 'bad-device', `not major:minor: ${JSON.stringify(device)}`, {
      fields: { device },
    });
  }
  const path = `${backingDevices}/${device}/read_ahead_kb`;
  try {
    // r+: a missing device must not become a file
    await writeFile(path, String(kibibytes), { flag: 'r+' });
  } catch (error) {
    throw new Fault('unsupported', 'no-readahead', `${path} cannot be set to ${kibibytes}`, {
      cause: error,
      fields: { device, path, kibibytes },
    });
  }
}
