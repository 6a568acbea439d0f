import { join } from 'node:path';
import { Readable } from 'node:stream';
import { parseEngineAddress } from '../../src/cli/engine/engine-address.ts';
import { IMAGE_ID, MANIFEST, type MemoryStationOptions, ROOT } from '../doors/control/memory-station.ts';
import { type FakeEngine, type FakeEngineOptions, startFakeEngine } from './fixture/fake-engine.ts';
import { suiteStation } from './fixture/suite-station.ts';

const { station, folder, open, here } = suiteStation('engine');
let engine: FakeEngine;
afterEach(() => engine?.close());

/** @param stationOptions of another station than the default one */
async function withEngine(
  engineOptions: FakeEngineOptions,
  stationOptions?: MemoryStationOptions,
): Promise<void> {
  if (stationOptions !== undefined) await open(stationOptions);
  engine = await startFakeEngine(join(folder(), 'docker.sock'), engineOptions);
}

const shp = (...args: string[]) => here(args, { DOCKER_HOST: `unix://${join(folder(), 'docker.sock')}` });

const IPFS = { Id: IMAGE_ID, RepoTags: ['jbenet/go-ipfs:latest'] };
const OTHER = { Id: `sha256:c1d9${'7'.repeat(60)}`, RepoTags: null };

describe('push from an engine', () => {
  it.each<[string, 'id' | 'name', string]>([
    ['c1d9bf8d8844', 'id', 'c1d9bf8d8844'],
    ['c1d9b', 'id', 'c1d9bf8d8844'],
    [IMAGE_ID, 'id', 'c1d9bf8d8844'],
    ['jbenet/go-ipfs', 'name', 'jbenet/go-ipfs'],
    ['jbenet/go-ipfs:latest', 'name', 'jbenet/go-ipfs:latest'],
  ])('%s is %s: streamed from the engine, published as %s', async (reference, by, shown) => {
    await withEngine({ images: [IPFS, OTHER], saved: Buffer.alloc(3000, 'tar') });
    const { code, out } = await shp('push', reference);
    expect([code, out]).toEqual([0, `published as /ipfs/${ROOT}/${shown}\n`]);
    expect(station.received()).toEqual({
      request: { argument: reference, by, names: ['jbenet/go-ipfs:latest'], expectedId: IMAGE_ID },
      archive: Buffer.alloc(3000, 'tar'),
    });
    expect(engine.requests.at(-1)).toBe(`GET /v1.41/images/get?names=${encodeURIComponent(IMAGE_ID)}`);
  });

  it('lists what an ambiguous prefix could mean', async () => {
    await withEngine({ images: [IPFS, OTHER] });
    const { code, out, err } = await shp('push', 'c1d9');
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(
      'error: c1d9 is the beginning of 2 images: c1d9bf8d8844 jbenet/go-ipfs:latest, c1d977777777\n',
    );
  });

  it('names an image that is not there', async () => {
    await withEngine({ images: [IPFS] });
    for (const reference of ['deadbeef', 'no/such']) {
      const { code, err } = await shp('push', reference);
      expect([code, err]).toEqual([3, expect.stringContaining(`has no image "${reference}"`)]);
    }
  });

  it('takes more names and the platform along', async () => {
    await withEngine({ images: [IPFS] });
    await shp('push', '--name', 'mine:1', '--platform', 'linux/arm64', '--copies', '2', 'jbenet/go-ipfs');
    expect(station.received().request).toMatchObject({
      names: ['jbenet/go-ipfs:latest', 'mine:1'],
      platform: 'linux/arm64',
      copies: 2,
    });
  });
});

describe('pull into an engine', () => {
  const loads = (image: { Id: string; RepoTags: string[] | null }) => () => ({
    image,
    message: { stream: `Loaded image ID: ${image.Id}\n` },
  });

  it('streams a docker-archive into a graphdriver store and checks the ID', async () => {
    await withEngine({ images: [], onLoad: loads(IPFS) });
    const { code, out } = await shp('pull', 'jbenet/go-ipfs');
    expect([code, out]).toEqual([0, `pulled /ipfs/${ROOT}/jbenet/go-ipfs\n`]);
    expect(station.exports).toEqual([
      expect.objectContaining({
        format: 'docker-archive',
        platform: 'linux/amd64',
        names: ['jbenet/go-ipfs'],
      }),
    ]);
    expect(engine.loaded).toHaveLength(1);
  });

  it('gives no name to what was pulled by id, unless asked', async () => {
    await withEngine({ images: [], onLoad: loads({ ...IPFS, RepoTags: null }) });
    await shp('pull', 'c1d9bf8d8844');
    await shp('pull', 'c1d9bf8d8844', '--name', 'mine:1');
    expect(station.exports.map(({ names }) => names)).toEqual([[], ['mine:1']]);
  });

  it('streams nothing when the engine has it already', async () => {
    await withEngine({ images: [IPFS] });
    const { out, err } = await shp('pull', 'jbenet/go-ipfs');
    expect(out).toBe(`pulled /ipfs/${ROOT}/jbenet/go-ipfs\n`);
    expect(err).toContain('the Docker engine has it already');
    expect(engine.loaded).toEqual([]);
  });

  it('gives a containerd store the original blobs where they are kept', async () => {
    await withEngine(
      { images: [], containerd: true, onLoad: loads({ Id: MANIFEST.digest, RepoTags: null }) },
      { pulled: { blobsKept: true } },
    );
    const { out } = await shp('pull', 'c1d9bf8d8844');
    expect(out).toBe(`pulled /ipfs/${ROOT}/c1d9bf8d8844\n`);
    expect(station.exports.map(({ format }) => format)).toEqual(['oci-archive']);
  });

  it('shows the ID that a containerd store made anew', async () => {
    const made = `sha256:abcdef012345${'0'.repeat(52)}`;
    await withEngine({ images: [], containerd: true, onLoad: loads({ Id: made, RepoTags: null }) });
    const { code, out } = await shp('pull', 'c1d9bf8d8844');
    expect([code, out]).toEqual([0, `pulled /ipfs/${ROOT}/c1d9bf8d8844 (engine id abcdef012345)\n`]);
    expect(station.exports.map(({ format }) => format)).toEqual(['docker-archive']);
  });

  it("fails with the engine's own reason", async () => {
    await withEngine({
      images: [],
      onLoad: () => ({ message: { errorDetail: { message: 'no space left on device' } } }),
    });
    const { code, out, err } = await shp('pull', 'c1d9bf8d8844');
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('did not take the image: no space left on device\n');
  });

  it('fails when the engine does not have it afterwards', async () => {
    await withEngine({ images: [] });
    const { code, err } = await shp('pull', 'c1d9bf8d8844');
    expect([code, err]).toEqual([4, expect.stringContaining('took the image but does not have it')]);
  });

  it('ends the load, and fails, when the station breaks off', async () => {
    await withEngine(
      { images: [], onLoad: loads(IPFS) },
      {
        exported: () =>
          Readable.from(
            (async function* () {
              yield Buffer.alloc(100_000);
              throw new Error('broken');
            })(),
          ),
      },
    );
    const { code, out } = await shp('pull', 'c1d9bf8d8844');
    expect([code === 0, out]).toEqual([false, '']);
    expect(engine.loaded).toEqual([]);
  });

  it('--store-only asks no engine', async () => {
    await withEngine({ images: [] });
    await shp('pull', 'c1d9bf8d8844', '--store-only');
    expect(engine.requests).toEqual([]);
  });
});

describe('DOCKER_HOST', () => {
  it.each([
    ['unix:///var/run/docker.sock', { kind: 'unix', socketPath: '/var/run/docker.sock' }],
    ['tcp://10.0.0.1:2375', { kind: 'tcp', host: '10.0.0.1', port: 2375 }],
    ['tcp://[fd00::1]:2376', { kind: 'tcp', host: 'fd00::1', port: 2376 }],
    ['tcp://docker', { kind: 'tcp', host: 'docker', port: 2375 }],
  ])('%s', (text, expected) => {
    expect(parseEngineAddress(text)).toMatchObject(expected);
  });

  it.each(['ssh://host', 'npipe:////./pipe/docker_engine', 'nonsense', 'unix://relative', 'tcp://x:99999'])(
    '%s is refused with what to do',
    (text) => {
      expect(() => parseEngineAddress(text)).toThrow(expect.objectContaining({ code: 'docker-host' }));
    },
  );

  it('with TLS is refused', () => {
    expect(() => parseEngineAddress('tcp://x:2376', { DOCKER_TLS_VERIFY: '1' })).toThrow(
      expect.objectContaining({ kind: 'unsupported', code: 'docker-tls' }),
    );
  });
});
