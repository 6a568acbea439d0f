import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PushResult } from '../../src/observe/control/views.ts';
import { buildImage, sha256Digest, writeOciLayout } from '../support/image-archive.ts';
import { directory, file } from '../support/layer-tar.ts';
import { requirement } from '../support/requirement.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const SKOPEO = '/usr/bin/skopeo';

if (requirement('archives read by skopeo', existsSync(SKOPEO), 'skopeo is not installed')) {
  const group = stationGroup('archive-files');
  const path = (name: string) => join(group.folder, name);
  let here: TestStation;
  let there: TestStation;

  const build = (architecture: string) =>
    buildImage({
      architecture,
      layers: [
        { compression: 'gzip', entries: [directory('etc'), file('etc/machine', architecture)] },
        { compression: 'zstd', entries: [file('data', Buffer.alloc(400_000, architecture))] },
        [file('plain', 'a layer that was never compressed')],
      ],
    });
  const amd = build('amd64');
  const arm = build('arm64');
  const own = process.arch === 'arm64' ? arm : amd;

  beforeAll(async () => {
    mkdirSync(path('one'));
    writeOciLayout(path('one'), [amd]);
    mkdirSync(path('several'));
    writeOciLayout(path('several'), [amd, arm], { multiPlatform: 'several:1' });
    [here, there] = await Promise.all([
      group.start('here', { net: NET }),
      group.start('there', { net: NET, set: ['keepBlobs=auto'] }),
    ]);
    await there.connect(here);
    await here.ok(['push', '--name', 'one:1', `oci:${path('one')}`]);
  }, 60_000);
  afterAll(() => group.end());

  const skopeo = (...args: string[]) => execFileSync(SKOPEO, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const rawManifest = (reference: string) => skopeo('inspect', '--raw', reference);
  /** skopeo compares every blob with its digest while it copies. @returns the blobs, by digest */
  function copied(reference: string, ...options: string[]): string[] {
    const target = path('copy');
    rmSync(target, { recursive: true, force: true });
    skopeo('copy', '--quiet', '--preserve-digests', ...options, reference, `dir:${target}`);
    return readdirSync(target)
      .filter((name) => /^[0-9a-f]{64}$/.test(name))
      .map((name) => `sha256:${name}`);
  }

  it("an OCI archive holds the publisher's own manifest and compressed blobs", async () => {
    const written = path('one-oci.tar');
    expect(await there.ok(['pull', 'one:1', '-o', `oci:${written}`])).toMatch(/^pulled /);
    const archive = `oci-archive:${written}`;
    expect(rawManifest(archive)).toEqual(amd.manifest);
    expect(copied(archive).sort()).toEqual([amd.imageId, ...amd.layers.map(({ digest }) => digest)].sort());
    // By its tag in the archive.
    const { Layers } = JSON.parse(skopeo('inspect', `${archive}:1`).toString());
    expect(Layers).toEqual(amd.layers.map(({ digest }) => digest));
  }, 60_000);

  it('a docker-archive holds the same config and the layers by their diffIDs', async () => {
    const written = path('one-docker.tar');
    await there.ok(['pull', 'one:1', '-o', written]);
    const archive = `docker-archive:${written}`;
    expect(sha256Digest(skopeo('inspect', '--config', '--raw', archive))).toBe(amd.imageId);
    const { Layers } = JSON.parse(skopeo('inspect', archive).toString());
    expect(Layers).toEqual(amd.diffIds);
    // By its name in the archive.
    expect(skopeo('inspect', '--config', '--raw', `${archive}:one:1`)).toEqual(amd.config);
  }, 60_000);

  it('of several platforms the index is given back, with one platform or with all of them', async () => {
    const { address } = await here.json<PushResult>(['push', `oci:${path('several')}`]);
    const top = JSON.parse(readFileSync(path('several/index.json'), 'utf8')).manifests[0].digest;
    await there.ok(['pull', address, '-o', path('own.tar'), '--format', 'oci']);
    expect(sha256Digest(rawManifest(`oci-archive:${path('own.tar')}`))).toBe(top);
    expect(copied(`oci-archive:${path('own.tar')}`)).toContain(own.imageId);
    await there.ok(['pull', '--platform', 'all', address, '-o', `oci:${path('all.tar')}`]);
    expect(sha256Digest(rawManifest(`oci-archive:${path('all.tar')}`))).toBe(top);
    expect(copied(`oci-archive:${path('all.tar')}`, '--all')).toEqual(
      expect.arrayContaining([amd.imageId, arm.imageId]),
    );
    // The platform that was asked for, though others are here by now.
    for (const image of [arm, amd]) {
      const platform = `linux/${image.platform.architecture}`;
      await there.ok(['pull', '--platform', platform, address, '-o', path('part.tar')]);
      const config = skopeo('inspect', '--config', '--raw', `docker-archive:${path('part.tar')}`);
      expect(sha256Digest(config)).toBe(image.imageId);
      rmSync(path('part.tar'));
    }
    await there.ok(['pull', arm.imageId, '-o', path('arm.tar')]);
    expect(skopeo('inspect', '--config', '--raw', `docker-archive:${path('arm.tar')}`)).toEqual(arm.config);
  }, 60_000);

  it('where no blobs were kept the layers are plain, and several platforms are refused', async () => {
    const lean = await group.init('lean', { net: NET });
    await lean.start('keepBlobs=never');
    await lean.ok(['push', '--name', 'lean:1', `oci:${path('one')}`]);
    await lean.ok(['pull', 'lean:1', '-o', `oci:${path('lean.tar')}`]);
    const manifest = JSON.parse(rawManifest(`oci-archive:${path('lean.tar')}`).toString());
    expect(manifest.config.digest).toBe(amd.imageId);
    expect(manifest.layers.map(({ digest }: { digest: string }) => digest)).toEqual(amd.diffIds);
    expect(copied(`oci-archive:${path('lean.tar')}`)).toEqual(
      expect.arrayContaining([amd.imageId, ...amd.diffIds]),
    );
    const { address } = await lean.json<PushResult>(['push', `oci:${path('several')}`]);
    const fault = await lean.fault(['pull', '--platform', 'all', address, '-o', `oci:${path('no.tar')}`]);
    expect(fault).toMatchObject({ exit: 9, kind: 'unsupported', code: 'blobs-not-kept' });
    expect(fault.message).toContain('linux/amd64');
    expect(existsSync(path('no.tar'))).toBe(false);
    await lean.stop();
  }, 60_000);
}
