import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setReadahead } from '../../src/syscalls/bdi-readahead.ts';
import { createSyscalls } from '../../src/syscalls/koffi-syscalls.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { mountBareFuse } from './bare-fuse.ts';

describe('setReadahead', () => {
  it('sets it for a FUSE mount that answers nothing', async () => {
    using folder = tempFolder('readahead');
    const syscalls = createSyscalls();
    await using _fuse = await mountBareFuse(syscalls, folder.path);
    const line = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((text) => text.includes(folder.path)) as string;
    const device = line.split(' ')[2] as string;
    await setReadahead(device, 512);
    expect(readFileSync(`/sys/class/bdi/${device}/read_ahead_kb`, 'utf8').trim()).toBe('512');
  });

  it('says that there is no such device, and makes no file', async () => {
    using folder = tempFolder('readahead');
    mkdirSync(join(folder.path, '0:1'));
    await expect(setReadahead('0:1', 128, folder.path)).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'no-readahead',
    });
    expect(readdirSync(join(folder.path, '0:1'))).toEqual([]);
    await expect(setReadahead('../..', 128)).rejects.toMatchObject({ code: 'bad-device' });
  });
});
