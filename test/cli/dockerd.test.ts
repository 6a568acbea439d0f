import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { initRoot } from '../../src/config/init-root.ts';
import { createControlDoor } from '../../src/doors/control/create-control-door.ts';
import { silentLogger } from '../../src/observe/logger.ts';
import {
  createMemoryStation,
  MANIFEST,
  type MemoryStation,
  type MemoryStationOptions,
  ROOT,
} from '../doors/control/memory-station.ts';
import { type Engine, startEngine, systemDockerd } from '../support/engine.ts';
import { buildImage, dockerArchive } from '../support/image-archive.ts';
import { directory, file } from '../support/layer-tar.ts';
import { requirement } from '../support/requirement.ts';
import { runHere } from './fixture/run-command.ts';

const able = requirement(
  'test/cli/dockerd.test.ts',
  systemDockerd() !== undefined && process.getuid?.() === 0,
  'needs root and dockerd',
);

const image = buildImage({
  layers: [[directory('etc'), file('etc/hello', 'hello\n')], [file('big', Buffer.alloc(3_000_000, 7))]],
  names: ['shp-test/hello:1'],
});

function withDockerd(): void {
  let folder: string;
  let engine: Engine;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shp-dockerd-'));
    await initRoot(folder);
    engine = await startEngine({ storage: 'vfs' });
  });
  afterAll(async () => {
    await engine.stop();
    rmSync(folder, { recursive: true });
  });

  async function withStation(options: MemoryStationOptions, run: (station: MemoryStation) => Promise<void>) {
    const station = createMemoryStation(options);
    const door = createControlDoor(station, { log: silentLogger });
    await door.listen(join(folder, 'control.sock'));
    try {
      await run(station);
    } finally {
      await door.close();
    }
  }

  const shp = (...args: string[]) => runHere(args, { SHP_ROOT: folder, DOCKER_HOST: engine.host });

  it('takes a pulled image under the name it was asked for, with the same ID, and gives it to a push', async () => {
    const manifest = { ...MANIFEST, imageId: image.imageId };
    const address = `/ipfs/${ROOT}/shp-test/hello:1`;
    const options: MemoryStationOptions = {
      exported: () => Readable.from([dockerArchive([image])]),
      pulled: { address, manifests: [manifest] },
    };
    await withStation(options, async () => {
      const { code, out, err } = await shp('pull', 'jbenet/go-ipfs');
      expect([code, out]).toEqual([0, `pulled ${address}\n`]);
      expect(err).not.toContain('has it already');
      expect((await shp('pull', 'jbenet/go-ipfs')).err).toContain('the Docker engine has it already');
    });
    const inspected = await engine.json<{ Id: string }>('GET', '/images/shp-test/hello:1/json');
    expect(inspected.Id).toBe(image.imageId);

    await withStation({}, async (station) => {
      const short = image.imageId.slice(7, 19);
      expect((await shp('push', short)).code).toBe(0);
      const { request, archive } = station.received();
      expect(request).toEqual({
        argument: short,
        by: 'id',
        names: ['shp-test/hello:1'],
        expectedId: image.imageId,
      });
      const files = await readTar(archive);
      expect(JSON.parse(files.get('manifest.json')?.toString() ?? '')[0].Layers).toHaveLength(2);
      expect(files.get(`${image.imageId.slice(7)}.json`)).toEqual(image.config);
    });
  });

  it('says what it has not', async () => {
    await withStation({}, async () => {
      const { code, err } = await shp('push', 'deadbeef');
      expect([code, err]).toEqual([3, expect.stringContaining('has no image "deadbeef"')]);
    });
  });

  it('refuses an archive with its own words', async () => {
    const options: MemoryStationOptions = {
      exported: () => Readable.from([readFileSync('package.json')]),
      pulled: { manifests: [{ ...MANIFEST, imageId: `sha256:${'9'.repeat(64)}` }] },
    };
    await withStation(options, async () => {
      const { code, out, err } = await shp('pull', 'c1d9bf8d8844');
      expect([code === 0, out]).toEqual([false, '']);
      expect(err).toMatch(/^(layer|a note|total|error).*Docker engine/ms);
    });
  });
}

if (able) describe('a real dockerd', withDockerd);
else it('is not here, and the run says so', () => expect(able).toBe(false));

async function readTar(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const tar = extract();
  Readable.from([archive]).pipe(tar);
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files.set(entry.header.name, Buffer.concat(chunks));
  }
  return files;
}
