import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PullResult } from '../../src/observe/control/views.ts';
import { type Engine, startEngine, systemDockerd } from '../support/engine.ts';
import { buildImage, dockerArchive } from '../support/image-archive.ts';
import { directory, file, symlink } from '../support/layer-tar.ts';
import { requirement } from '../support/requirement.ts';
import { writeGeneratedArchive } from './support/generated-image.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const BUSYBOX = '/bin/busybox';
const able =
  process.getuid?.() === 0 && systemDockerd() !== undefined && existsSync(BUSYBOX) && isStatic(BUSYBOX);

function isStatic(path: string): boolean {
  // No interpreter segment: nothing else is needed in the image (elf(5), PT_INTERP).
  return !readFileSync(path).includes('/ld-linux');
}

if (requirement('images of a real Docker', able, 'needs root, dockerd and a static busybox')) {
  const group = stationGroup('engine');
  let here: TestStation;
  let there: TestStation;
  let source: Engine;
  let target: Engine;

  const image = buildImage({
    layers: [
      [
        directory('bin'),
        file('bin/busybox', readFileSync(BUSYBOX), { mode: 0o755 }),
        symlink('bin/sh', 'busybox'),
        symlink('bin/cat', 'busybox'),
      ],
      [directory('etc'), file('etc/greeting', 'hello from orbit\n')],
    ],
    names: ['shp-test/hello:1'],
    config: { config: { Cmd: ['/bin/cat', '/etc/greeting'] } },
  });
  const ID = image.imageId.slice(7, 19);

  beforeAll(async () => {
    [here, there, source, target] = await Promise.all([
      group.start('here', { net: NET }),
      group.start('there', { net: NET }),
      startEngine({ parent: group.folder }),
      startEngine({ parent: group.folder }),
    ]);
    await source.load(dockerArchive([image]));
    await there.connect(here);
  }, 120_000);
  afterAll(async () => {
    await source?.stop();
    await target?.stop();
    await group.end();
  }, 60_000);

  const from = () => ({ env: { DOCKER_HOST: source.host } });
  const into = () => ({ env: { DOCKER_HOST: target.host } });

  it('push takes an image by id, by the beginning of its id, and by name, to one root', async () => {
    const byId = await here.run(['push', ID], from());
    expect(byId.out).toMatch(new RegExp(`^published as /ipfs/baf[a-z2-7]{56}/${ID}\n$`));
    const root = byId.out.split('/')[2];
    expect(await here.ok(['push', ID.slice(0, 7)], from())).toBe(`published as /ipfs/${root}/${ID}`);
    expect(await here.ok(['push', image.imageId], from())).toBe(`published as /ipfs/${root}/${ID}`);
    expect(await here.ok(['push', 'shp-test/hello:1'], from())).toBe(
      `published as /ipfs/${root}/shp-test/hello:1`,
    );
    const unknown = await here.fault(['push', 'nothing:1'], from());
    expect(unknown).toMatchObject({ exit: 3, code: 'no-such-image' });
  }, 60_000);

  it('pull adds it to Docker under the same ID, and a container of it runs', async () => {
    const pulled = await there.json<PullResult & { engineId: string; sameId: boolean }>(['pull', ID], into());
    expect(pulled).toMatchObject({ engineId: image.imageId, sameId: true });
    const found = await target.json<{ Id: string; RootFS: { Layers: string[] }; RepoTags: string[] }>(
      'GET',
      `/images/${ID}/json`,
    );
    expect(found).toMatchObject({ Id: image.imageId, RootFS: { Layers: image.diffIds }, RepoTags: [] });
    expect(await there.ok(['pull', 'shp-test/hello:1'], into())).toMatch(/^pulled .*\/shp-test\/hello:1$/);
    expect(await target.json('GET', '/images/shp-test/hello:1/json')).toMatchObject({
      Id: image.imageId,
      RepoTags: ['shp-test/hello:1'],
    });
    const run = spawnSync(
      'docker',
      ['--host', target.host, 'run', '--rm', '--network', 'none', 'shp-test/hello:1'],
      { encoding: 'utf8' },
    );
    expect(run).toMatchObject({ status: 0, stdout: 'hello from orbit\n' });
  }, 60_000);

  it('Ctrl-C while the engine loads leaves nothing half in it, and the next pull brings it whole', async () => {
    const path = join(group.folder, 'large.tar');
    const id = await writeGeneratedArchive(path, {
      layers: [{ seed: 'large', files: 60, bytes: 1_000_000 }],
      names: ['shp-test/large:1'],
    });
    await there.ok(['push', path]);
    const pull = there.begin(['pull', 'shp-test/large:1'], into());
    // dockerd unpacks an archive here before it takes its layers.
    const arrived = () =>
      readdirSync(join(target.dataRoot, 'tmp')).some((name) => name.startsWith('docker-import'));
    while (!arrived() && pull.child.exitCode === null) await sleep(5);
    pull.child.kill('SIGINT');
    expect(await pull.done).toMatchObject({ code: 130, out: '' });
    expect((await target.request('GET', '/images/shp-test/large:1/json')).status).toBe(404);
    const again = await there.json<PullResult & { engineId: string }>(['pull', 'shp-test/large:1'], into());
    expect(again.engineId).toBe(`sha256:${id}`);
  }, 60_000);

  it('an image that comes and goes by docker load and save has one root on both stations', async () => {
    const address = await there.ok(['push', ID], into());
    expect(address).toBe(await here.ok(['push', ID], from()));
  }, 60_000);
}
