import fc from 'fast-check';
import {
  mountAt,
  mountsBelow,
  mountsOfType,
  parseMountInfo,
  readMountInfo,
} from '../../src/mounts/mountinfo.ts';

/** As the kernel writes them (fs/proc_namespace.c, seq_escape). */
function escaped(text: string): string {
  return text.replace(/[ \t\n\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

const path = fc
  .array(
    fc.string({ minLength: 1, unit: 'grapheme' }).map((name) => name.replaceAll(/[/\0]/g, '_')),
    { maxLength: 4 },
  )
  .map((names) => `/${names.join('/')}`);

describe('mountinfo', () => {
  it('is read as the kernel writes it, whatever the paths', () => {
    fc.assert(
      fc.property(
        fc.record({ id: fc.nat(), parent: fc.nat(), root: path, target: path, source: path }),
        fc.array(fc.constantFrom('shared:7', 'master:3', 'propagate_from:2', 'unbindable'), { maxLength: 3 }),
        fc.constantFrom('rw', 'rw,lowerdir=/a\\134:b:/c'),
        ({ id, parent, root, target, source }, optional, superOptions) => {
          const line = [
            id,
            parent,
            '0:42',
            escaped(root),
            escaped(target),
            'rw,nosuid',
            ...optional,
            '-',
            'overlay',
            escaped(source),
            superOptions,
          ].join(' ');
          expect(parseMountInfo(`${line}\n`)).toEqual([
            {
              id,
              parent,
              device: '0:42',
              root,
              target,
              options: ['rw', 'nosuid'],
              filesystem: 'overlay',
              source,
              superOptions: superOptions.replace('\\134', '\\'),
            },
          ]);
        },
      ),
    );
  });

  it('leaves out what is no line of it, and never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseMountInfo(text))));
    expect(parseMountInfo('\n36 35 98:0 /a /b rw\nx 35 98:0 / / rw - ext4 /dev/vda rw\n')).toEqual([]);
  });

  it('of this machine has the root and /proc', async () => {
    const mounts = await readMountInfo();
    expect(mountAt(mounts, '/proc')?.filesystem).toBe('proc');
    expect(mountAt(mounts, '/')?.id).toBeGreaterThan(0);
    expect(mountAt(mounts, '/nothing/is/mounted/here')).toBeUndefined();
  });

  it('tells which of several mounts on each other is seen, and what lies on one', () => {
    const mounts = parseMountInfo(
      [
        '30 20 0:30 / /m rw - tmpfs one rw',
        '31 30 0:31 / /m rw - overlay shp rw',
        '32 31 0:32 / /m/sub rw - overlay other rw',
        '34 33 0:34 / /m/sub/a/b rw - tmpfs four rw',
        '33 32 0:33 / /m/sub/a rw - tmpfs three rw',
      ].join('\n'),
    );
    const top = mountAt(mounts, '/m');
    expect(top?.id).toBe(31);
    expect(mountsOfType(mounts, 'overlay').map(({ id }) => id)).toEqual([31, 32]);
    expect(mountsOfType(mounts, 'overlay', 'shp').map(({ id }) => id)).toEqual([31]);
    expect(mountsBelow(mounts, top as NonNullable<typeof top>).map(({ id }) => id)).toEqual([32, 34, 33]);
    // the order of the text does not matter
    expect(mountAt([...mounts].reverse(), '/m')?.id).toBe(31);
  });
});
