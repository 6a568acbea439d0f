import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountOf, parseMountTable } from '../../src/config/mount-table.ts';
import { checkRoot } from '../../src/config/root-checks.ts';

// From `docker run debian cat /proc/self/mountinfo`, shortened; the second line by `docker run -v`.
const CONTAINER = `523 468 0:45 / / rw,relatime master:154 - overlay overlay rw,lowerdir=/l/A,upperdir=/u,workdir=/w
530 523 254:0 /srv/shp /var/lib/shp rw,relatime - ext4 /dev/vda rw
531 523 0:60 / /mnt/with\\040space rw shared:3 master:4 - nfs4 host:/x rw
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shp-root-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the mount table', () => {
  it('finds the deepest mount of a path', () => {
    const mounts = parseMountTable(CONTAINER);
    expect(mounts).toHaveLength(3);
    expect(mountOf('/etc', mounts)?.filesystem).toBe('overlay');
    expect(mountOf('/var/lib/shp/cas', mounts)?.filesystem).toBe('ext4');
    expect(mountOf('/var/lib/shp2', mounts)?.filesystem).toBe('overlay');
    expect(mountOf('/mnt/with space/x', mounts)?.filesystem).toBe('nfs4');
  });
});

describe('checkRoot', () => {
  it("refuses a root inside a container's root filesystem and says what to do", async () => {
    const mounts = [{ mountpoint: '/', filesystem: 'overlay' }];
    await expect(checkRoot(join(folder, 'root'), mounts)).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'root-on-overlay',
      message: expect.stringMatching(/container.*mount a volume/),
      fields: { root: join(folder, 'root'), filesystem: 'overlay' },
    });
  });

  it('refuses filesystems that cannot hold a store', async () => {
    for (const filesystem of ['nfs4', 'vfat']) {
      const mounts = [
        { mountpoint: '/', filesystem: 'ext4' },
        { mountpoint: folder, filesystem },
      ];
      await expect(checkRoot(join(folder, 'x/y'), mounts)).rejects.toMatchObject({ code: 'root-unfit' });
    }
  });

  it('takes a volume mounted into a container', async () => {
    const mounts = [
      { mountpoint: '/', filesystem: 'overlay' },
      { mountpoint: folder, filesystem: 'ext4' },
    ];
    await expect(checkRoot(join(folder, 'x/y'), mounts)).resolves.toBeUndefined();
  });

  it('refuses what cannot be written', async () => {
    // /proc takes no directories, not even from root.
    await expect(checkRoot('/proc/self/shp', [])).rejects.toMatchObject({
      kind: 'denied',
      code: 'root-not-writable',
      fields: { root: '/proc/self/shp' },
    });
  });
});
