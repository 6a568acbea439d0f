import { chmodSync, closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLayout } from '../../src/keeper/run-layout.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import { startFuseThread } from '../../src/station/mount-server/fuse-thread.ts';
import { UNANSWERED_BYTES } from '../../src/station/mount-server/unanswered-file.ts';
import { createSyscalls } from '../../src/syscalls/koffi-syscalls.ts';
import { storeLayer } from '../layerfs/stored-layers.ts';
import { folderEntries } from './folder-entries.ts';
import type { MakeLower } from './overlay-behaviour.ts';

/** A folder as an image's layer that is whole in the store, served by the FUSE thread of a mount server. */
export function fuseLower(settings: { readonly passthrough: boolean }): MakeLower {
  return async (folder) => {
    const root = await mkdtemp(join(tmpdir(), 'shp-fuse-lower-'));
    const layout = runLayout(root);
    for (const path of [layout.fuse, layout.empty]) mkdirSync(path, { recursive: true });
    chmodSync(layout.run, 0o700);
    const index = storeLayer(root, folderEntries(folder));
    const syscalls = createSyscalls();
    const device = openSync('/dev/fuse', 'r+');
    await syscalls.mount({
      source: 'shp',
      target: layout.fuse,
      type: 'fuse.shp',
      flags: ['rdonly', 'nosuid', 'nodev'],
      data: `fd=${device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions`,
    });
    const thread = startFuseThread(
      { onEvent: () => {}, onTerms: () => {}, logger: silentLogger },
      {
        device,
        root,
        opens: layout.opens,
        session: layout.session,
        resumed: false,
        resend: true,
        unanswered: layout.unanswered,
        unansweredMemory: new SharedArrayBuffer(UNANSWERED_BYTES),
        wholeAtOpen: 2 ** 20,
        passthrough: settings.passthrough,
        mountpoint: layout.fuse,
        first: [
          { do: 'add', chain: { number: 1, key: 'a1', indexes: [index], complete: true, recording: false } },
        ],
      },
    );
    return {
      chain: 'a1',
      paths: layout,
      async [Symbol.asyncDispose]() {
        await syscalls.unmount(layout.fuse, { detach: true });
        await thread.served;
        closeSync(device);
        rmSync(root, { recursive: true, force: true });
      },
    };
  };
}
