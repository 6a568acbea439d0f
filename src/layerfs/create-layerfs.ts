import { storeLayout } from '../store/store-layout.ts';
import { createBackingFiles } from './backing-files.ts';
import { createChainTable } from './chain-table.ts';
import { createContentFiles } from './content-files.ts';
import { createContentOpener } from './content-opener.ts';
import { createIndexShelf } from './index-shelf.ts';
import type { Layerfs, LayerfsComponents, LayerfsSettings } from './layerfs.ts';
import { createLayerfsPort } from './layerfs-port.ts';
import { createOpenTable } from './open-table.ts';
import { openSlotFile } from './slot-file.ts';
import { createTouchRecorder } from './touch-recorder.ts';
import { createTreeFilesystem } from './tree-filesystem.ts';

/** Ten images of 30,000 entries; beyond it indexes are read again when they are asked for. */
const INDEX_BYTES = 48 * 1024 * 1024;
/** Files that the FUSE thread reads, open at a time: a process may have 1,024 by default. */
const MAX_FILES = 256;
/** See `OpenTableSettings.handlesAbove`. */
const HANDLES_PER_MS = 2 * 512;

/**
 * Made inside the FUSE thread. Chains are added by commands.
 * @throws what opening the slot file fails with
 */
export function createLayerfs(components: LayerfsComponents, settings: LayerfsSettings): Layerfs {
  const { mailbox, logger, clock, fuseDevice, syscalls } = components;
  const layout = storeLayout(settings.root);
  const shelf = createIndexShelf(layout);
  const chains = createChainTable(
    { shelf, logger, clock },
    { indexBytes: settings.indexBytes ?? INDEX_BYTES },
  );
  const { file, slots } = openSlotFile(settings.opens, settings.resumed);
  const opens = createOpenTable({ file, slots, logger }, { handlesAbove: clock.now() * HANDLES_PER_MS });
  const backing = createBackingFiles({
    layout,
    fuseDevice,
    syscalls,
    logger,
    onOff: (why) => mailbox.post({ tell: 'no-passthrough', why }),
  });
  const files = createContentFiles({ layout, clock }, { maxFiles: settings.maxFiles ?? MAX_FILES });
  const touches = createTouchRecorder({
    onTouched: (key, ranges) => mailbox.post({ tell: 'touched', key, ranges }),
    now: () => clock.monotonic(),
  });
  const content = createContentOpener(
    {
      opens,
      backing,
      files,
      touches,
      logger,
      missing: (missing) => mailbox.post({ tell: 'missing', missing }),
    },
    { wholeAtOpen: settings.wholeAtOpen },
  );
  const filesystem = createTreeFilesystem({
    chains,
    content,
    interrupted: ({ high, low }) => mailbox.post({ tell: 'interrupt', request: { high, low } }),
  });
  const port = createLayerfsPort({
    mailbox,
    counter: components.counter,
    chains,
    content,
    touches,
    opens,
    logger,
  });
  return {
    filesystem,
    poll: () => port.poll(),
    passthrough: (on, why) => backing.allow(on, why),
    close() {
      files.closeAll();
      opens.close();
    },
  };
}
