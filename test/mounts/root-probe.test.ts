import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createRootProbe } from '../../src/mounts/root-probe.ts';
import { createSyscalls } from '../../src/syscalls/koffi-syscalls.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { mountBareFuse } from '../syscalls/bare-fuse.ts';

const never = new AbortController().signal;

describe('the probe of a root', () => {
  it('is content with a folder that answers', async () => {
    using folder = tempFolder('probe');
    await createRootProbe()(folder.path, 5000, never);
  });

  it('says what the system said', async () => {
    await expect(createRootProbe()('/nonexistent/folder', 5000, never)).rejects.toMatchObject({
      code: 'mount-does-not-answer',
      message: expect.stringContaining('no such file'),
    });
  });

  it('gives up on folders that do not answer, and holds one thread with them', async () => {
    using folder = tempFolder('probe');
    const silent = join(folder.path, 'silent');
    mkdirSync(silent);
    const probe = createRootProbe();
    {
      await using _mounted = await mountBareFuse(createSyscalls(), silent);
      for (let asked = 0; asked < 6; asked++) {
        await expect(probe(silent, 20, never)).rejects.toMatchObject({ code: 'mount-does-not-answer' });
      }
      // other work of the pool goes on
      await createRootProbe()(folder.path, 5000, never);
    }
    await probe(folder.path, 5000, never);
  });
});
