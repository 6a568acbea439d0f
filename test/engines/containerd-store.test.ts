import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageSummary, PullResult } from '../../src/observe/control/views.ts';
import { NET, stationGroup, type TestStation } from '../station/support/station-process.ts';
import { type Engine, type EngineSettings, startEngine, systemDockerd } from '../support/engine.ts';
import { type BuiltImage, buildImage, dockerArchive, ociLayoutTar } from '../support/image-archive.ts';
import { directory, file, symlink } from '../support/layer-tar.ts';
import { requirement } from '../support/requirement.ts';

const NAME = 'a Docker engine with the containerd image store';
const BUSYBOX = '/bin/busybox';
/** The CLI of the system speaks to newer engines too. */
const DOCKER = '/usr/bin/docker';

interface EngineImage {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RootFS: { readonly Layers: readonly string[] };
}

interface ListedImage {
  readonly Id: string;
  readonly Manifests: readonly { readonly Available: boolean }[];
}

type Pulled = PullResult & { readonly engineId: string; readonly sameId: boolean };

const group = stationGroup('containerd-store');
const engines: Engine[] = [];
afterAll(async () => {
  for (const one of engines) await one.stop();
  await group.end();
}, 60_000);

/** Debian 12's docker.io has no such store, forky's has. */
function newerEngine(): string | undefined {
  const folder = join(group.folder, 'forky');
  try {
    execFileSync('scripts/get-engine', ['forky', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    return folder;
  } catch {
    return undefined;
  }
}

const able =
  requirement(NAME, process.getuid?.() === 0, 'needs root') &&
  requirement(NAME, systemDockerd() !== undefined && existsSync(BUSYBOX), 'needs docker.io, busybox-static');
const engine = able ? newerEngine() : undefined;

if (able && requirement(NAME, engine !== undefined, 'a newer docker.io cannot be fetched')) {
  let here: TestStation;
  let there: TestStation;
  let source: Engine;
  let target: Engine;
  let older: Engine;

  const greeting = (text: string, names: readonly string[], architecture?: string): BuiltImage =>
    buildImage({
      layers: [
        {
          compression: 'gzip',
          entries: [
            directory('bin'),
            file('bin/busybox', readFileSync(BUSYBOX), { mode: 0o755 }),
            symlink('bin/cat', 'busybox'),
          ],
        },
        { compression: 'gzip', entries: [directory('etc'), file('etc/greeting', `${text}\n`)] },
      ],
      names,
      config: { config: { Cmd: ['/bin/cat', '/etc/greeting'] } },
      ...(architecture === undefined ? {} : { architecture }),
    });
  const image = greeting('hello from orbit', []);
  const ID = image.manifestDigest.slice(7, 19);

  async function begin(settings: EngineSettings): Promise<Engine> {
    const one = await startEngine(settings);
    engines.push(one);
    return one;
  }

  beforeAll(async () => {
    const newer = { engine: engine as string, storage: 'containerd', parent: group.folder } as const;
    [here, there, source, target, older] = await Promise.all([
      group.start('here', { net: NET }),
      group.start('there', { net: NET }),
      begin(newer),
      begin(newer),
      begin({ parent: group.folder }),
    ]);
    await there.connect(here);
    await source.load(ociLayoutTar([image]));
    await source.json('POST', `/images/${image.manifestDigest}/tag?repo=shp-test/hello&tag=1`);
  }, 120_000);
  const using = ({ host }: Engine) => ({ env: { DOCKER_HOST: host } });
  const inspect = (one: Engine, reference: string) =>
    one.json<EngineImage>('GET', `/images/${reference}/json`);
  const run = ({ host }: Engine, reference: string) =>
    spawnSync(DOCKER, ['--host', host, 'run', '--rm', '--network', 'none', reference], { encoding: 'utf8' });
  const kept = async (station: TestStation, root: string) =>
    (await station.json<ImageSummary[]>(['ls'])).find((one) => one.root === root)?.keptBlobs;

  it('push takes an image by engine ID, its beginning and its name to one root, and keeps its blobs', async () => {
    const byId = await here.ok(['push', ID], using(source));
    expect(byId).toMatch(new RegExp(`^published as /ipfs/baf[a-z2-7]{56}/${ID}$`));
    const root = byId.split('/')[2];
    expect(await here.ok(['push', ID.slice(0, 7)], using(source))).toBe(byId);
    expect(await here.ok(['push', 'shp-test/hello:1'], using(source))).toBe(
      `published as /ipfs/${root}/shp-test/hello:1`,
    );
    expect(await here.json<ImageSummary[]>(['ls'])).toMatchObject([
      { manifests: [{ imageId: image.imageId, digest: image.manifestDigest }], keptBlobs: 2 },
    ]);
  }, 60_000);

  it('pull brings the blobs along, the engine shows the same ID, and a container runs', async () => {
    const pulled = await there.json<Pulled>(['pull', ID], using(target));
    expect(pulled).toMatchObject({ engineId: image.manifestDigest, sameId: true, blobsKept: true });
    expect(await kept(there, pulled.imageRoot)).toBe(2);
    expect(await inspect(target, ID)).toMatchObject({
      Id: image.manifestDigest,
      RootFS: { Layers: image.diffIds },
    });
    expect(await there.ok(['pull', 'shp-test/hello:1'], using(target))).toMatch(
      /^pulled \S+\/shp-test\/hello:1$/,
    );
    expect(await inspect(target, 'shp-test/hello:1')).toMatchObject({
      Id: image.manifestDigest,
      RepoTags: ['shp-test/hello:1'],
    });
    expect(run(target, 'shp-test/hello:1')).toMatchObject({ status: 0, stdout: 'hello from orbit\n' });
  }, 60_000);

  it('pull brings it back into the engine that it came from', async () => {
    await source.json('DELETE', '/images/shp-test/hello:1?force=1');
    expect((await source.request('GET', '/images/shp-test/hello:1/json')).status).toBe(404);
    expect(await here.json<Pulled>(['pull', 'shp-test/hello:1'], using(source))).toMatchObject({
      engineId: image.manifestDigest,
      sameId: true,
    });
    expect(run(source, 'shp-test/hello:1')).toMatchObject({ status: 0, stdout: 'hello from orbit\n' });
  }, 60_000);

  it('pull into a graphdriver store gives it the image ID', async () => {
    const pulled = await there.json<Pulled>(['pull', 'shp-test/hello:1'], using(older));
    expect(pulled).toMatchObject({ engineId: image.imageId, sameId: true });
    expect(await inspect(older, 'shp-test/hello:1')).toMatchObject({
      Id: image.imageId,
      RootFS: { Layers: image.diffIds },
    });
    expect(run(older, 'shp-test/hello:1')).toMatchObject({ status: 0, stdout: 'hello from orbit\n' });
  }, 60_000);

  it('an image of several platforms keeps the ID of its index', async () => {
    const several = [greeting('hello from here', []), greeting('hello from afar', [], 'riscv64')];
    await source.load(ociLayoutTar(several, { multiPlatform: 'docker.io/shp-test/several:1' }));
    const { Id: id } = await inspect(source, 'shp-test/several:1');
    await here.ok(['push', id.slice(7, 19)], using(source));
    const one = await there.json<Pulled>(['pull', '--name', 'several:1', id], using(target));
    expect(one).toMatchObject({ engineId: id, sameId: true, manifests: [{ imageId: several[0]?.imageId }] });
    const all = await there.json<Pulled>(
      ['pull', '--platform', 'all', '--name', 'several:1', id],
      using(target),
    );
    expect(all).toMatchObject({ engineId: id, sameId: true, indexDigest: id });
    expect(all.manifests).toHaveLength(2);
    const listed = await target.json<ListedImage[]>('GET', '/images/json?manifests=1');
    const parts = listed.find(({ Id }) => Id === id)?.Manifests ?? [];
    expect(parts.map(({ Available }) => Available)).toEqual([true, true]);
    expect(run(target, 'several:1')).toMatchObject({ status: 0, stdout: 'hello from here\n' });
  }, 60_000);

  it('an image of a graphdriver store comes into a containerd store under an ID that the line tells', async () => {
    const plain = greeting('plain', ['shp-test/plain:1']);
    await older.load(dockerArchive([plain]));
    await here.ok(['push', 'shp-test/plain:1'], using(older));
    const line = await there.ok(['pull', 'shp-test/plain:1'], using(target));
    const { Id } = await inspect(target, 'shp-test/plain:1');
    expect(line).toMatch(new RegExp(`^pulled \\S+/shp-test/plain:1( \\(engine id ${Id.slice(7, 19)}\\))?$`));
    expect(run(target, 'shp-test/plain:1')).toMatchObject({ status: 0, stdout: 'plain\n' });
  }, 60_000);
}
