import { lineText } from '../../src/image/layer/index-text.ts';
import type { FrameView } from '../fuse/frame-view.ts';
import { hashOf } from './stored-layers.ts';

const KINDS = new Map([
  [0o040000, 'directory'],
  [0o100000, 'file'],
  [0o120000, 'symlink'],
  [0o020000, 'chardev'],
  [0o060000, 'blockdev'],
  [0o010000, 'fifo'],
]);
const latin1 = (text: string) => Buffer.from(text, 'latin1');

/**
 * A served tree in the words of `formatMergedTree`, asked for as programs do: lists, look-ups, attributes, links, xattrs
 * and content. `inode` is the node's place in its chain.
 */
export async function walkLines(view: FrameView, root: string): Promise<string[]> {
  const lines: string[] = [];
  const visit = async (path: string): Promise<void> => {
    const at = path === '' ? root : `${root}/${path}`;
    const { mode, uid, gid, mtime, mtimeNanos, device } = await view.stat(at);
    const kind = KINDS.get(mode & 0o170000);
    const octal = (mode & 0o7777).toString(8).padStart(4, '0');
    const shown = path.split('/').map((name) => lineText(latin1(name)));
    let line = `${kind} ${octal} ${uid}:${gid} ${mtime}.${String(mtimeNanos).padStart(9, '0')} /${shown.join('/')}`;
    line += ` inode=${view.nodeOf(at) % 2 ** 32}`;
    if (kind === 'file') {
      const { hash } = hashOf(await view.read(at, 0, 1 << 20));
      line += ` object=${Buffer.from(hash).toString('hex')}`;
    }
    if (kind === 'symlink') line += ` link=${lineText(latin1(await view.link(at)))}`;
    if (kind === 'chardev' || kind === 'blockdev') line += ` device=${device.join(':')}`;
    for (const name of await view.xattrNames(at)) {
      const value = Buffer.from(await view.xattr(at, name)).toString('hex');
      // shown to an overlay, which takes it off again
      const inLayer = name.replace(/^trusted\.overlay\.overlay\./, 'trusted.overlay.');
      line += ` xattr=${lineText(latin1(inLayer))}:${value}`;
    }
    lines.push(line);
    if (kind === 'directory') {
      for (const name of await view.list(at)) await visit(path === '' ? name : `${path}/${name}`);
    }
  };
  await visit('');
  return lines;
}
