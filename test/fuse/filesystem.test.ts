import { requirement } from '../support/requirement.ts';
import { contractTree } from './contract-tree.ts';
import { describeFilesystem } from './filesystem-contract.ts';
import { openFrameView } from './frame-view.ts';
import { createMemoryFilesystem } from './memory-filesystem.ts';
import { HAS_SYSCALL_NUMBERS, openMountView } from './mount-view.ts';
import { canMount, mountMemory } from './mounted-memory.ts';

describeFilesystem('a filesystem behind frames', async () =>
  openFrameView(createMemoryFilesystem(contractTree())),
);

if (
  requirement('a filesystem behind a mount', canMount() && HAS_SYSCALL_NUMBERS, 'needs root, FUSE and x86-64')
) {
  describeFilesystem('a filesystem behind a mount', async () => {
    const mounted = await mountMemory(contractTree());
    return openMountView(mounted.path, async () => mounted[Symbol.asyncDispose]());
  });
}
