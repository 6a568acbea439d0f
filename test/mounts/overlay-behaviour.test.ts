import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuseLower } from './fuse-lower.ts';
import { describeOverlay } from './overlay-behaviour.ts';

// The judge of the suite itself: a lower of the kernel's own.
describeOverlay('a folder of the real filesystem', async (folder) => {
  const path = await mkdtemp(join(tmpdir(), 'shp-lower-'));
  chmodSync(path, 0o711);
  const paths = { fuse: join(path, 'fuse'), empty: join(path, 'empty') };
  mkdirSync(join(paths.fuse, 't'), { recursive: true });
  mkdirSync(paths.empty);
  execFileSync('cp', ['-a', folder, join(paths.fuse, 't', 'a1')]);
  return {
    chain: 'a1',
    paths,
    async [Symbol.asyncDispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
});

describeOverlay('a chain that FUSE serves, read by the kernel itself', fuseLower({ passthrough: true }));

describeOverlay('a chain that FUSE serves, read through it', fuseLower({ passthrough: false }));
