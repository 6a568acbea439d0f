import { probeRoot } from '../../src/mounts/root-probe.ts';
import { tempFolder } from '../support/temp-folder.ts';

const never = new AbortController().signal;

describe('the probe of a root', () => {
  it('is content with a folder that answers, also one that looks like an option', async () => {
    using folder = tempFolder('probe');
    await probeRoot(folder.path, 5000, never);
  });

  it('says what the system said', async () => {
    await expect(probeRoot('/nonexistent/folder', 5000, never)).rejects.toMatchObject({
      code: 'mount-does-not-answer',
      message: expect.stringContaining('No such file'),
    });
  });

  it('works where the system has no stat(1)', async () => {
    using folder = tempFolder('probe');
    const path = process.env['PATH'];
    process.env['PATH'] = folder.path;
    try {
      await probeRoot(folder.path, 5000, never);
      await expect(probeRoot(`${folder.path}/absent`, 5000, never)).rejects.toMatchObject({
        code: 'mount-does-not-answer',
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
});
