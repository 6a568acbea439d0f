import { decodeLayerIndex, encodeLayerIndex } from '../../src/image/layer/index-codec.ts';
import { mergeLayers } from '../../src/image/layer/merged-tree.ts';
import { createTreeFiles } from '../../src/transfer/lazy/tree-files.ts';
import { draftOf, file, type Member, symlink } from '../image/layer/tar-entries.ts';

const filesOf = (...layers: Member[][]) =>
  createTreeFiles(mergeLayers(layers.map((members) => decodeLayerIndex(encodeLayerIndex(draftOf(members))))));

describe('the files of an image by the names its contents use', () => {
  const files = filesOf(
    [
      symlink('lib', 'usr/lib'),
      file('usr/lib/x86_64-linux-gnu/libz.so.1.2', 'z'),
      symlink('usr/lib/x86_64-linux-gnu/libz.so.1', 'libz.so.1.2'),
      symlink('usr/bin/sh', '/usr/bin/dash'),
      file('usr/bin/dash', 'dash'),
      symlink('loop', 'loop'),
    ],
    [
      file('usr/lib/py/json/__init__.py', 'a'),
      file('usr/lib/py/json/decoder.py', 'b'),
      file('usr/lib/py/enum.py', 'c'),
      file('usr/lib/py/empty.py', ''),
      file('usr/share/large', 'x'.repeat(70_000)),
      file('usr/share/small', 'y'),
    ],
  );

  it('are found behind symlinks, never in a circle of them, and only inside', () => {
    expect(files.file('/usr/bin/sh')?.path).toBe('/usr/bin/dash');
    expect(files.file('/../../usr/bin/./sh')?.path).toBe('/usr/bin/dash');
    expect(files.file('/loop')).toBeUndefined();
    expect(files.file('/usr/bin')).toBeUndefined();
    expect(files.file('/usr/lib/py/empty.py')).toBeUndefined();
  });

  it('are libraries where the loader looks, and programs on the path', () => {
    expect(files.library('libz.so.1')).toMatchObject({
      path: '/usr/lib/x86_64-linux-gnu/libz.so.1.2',
      layer: 0,
    });
    expect(files.library('libnone.so')).toBeUndefined();
    expect(files.program('sh', ['/bin', '/usr/bin'])?.path).toBe('/usr/bin/dash');
    expect(files.program('/usr/bin/sh', [])?.path).toBe('/usr/bin/dash');
  });

  it('are modules beside who names them, or above, or a folder of them', () => {
    const paths = (from: string, name: string) => files.module(from, name).map(({ path }) => path);
    expect(paths('/usr/lib/py/json/__init__.py', 'decoder')).toEqual(['/usr/lib/py/json/decoder.py']);
    expect(paths('/usr/lib/py/json/decoder.py', 'enum')).toEqual(['/usr/lib/py/enum.py']);
    expect(paths('/usr/lib/py/enum.py', 'json')).toEqual([
      '/usr/lib/py/json/__init__.py',
      '/usr/lib/py/json/decoder.py',
    ]);
    expect(paths('/usr/lib/py/enum.py', 'nothing')).toEqual([]);
  });

  it('are those of a small folder, without the large ones', () => {
    expect(files.smallFolder('/usr/share').map(({ path }) => path)).toEqual(['/usr/share/small']);
    expect(files.smallFolder('/usr/bin/dash')).toEqual([]);
  });
});
