import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TotalsView } from '../../src/observe/control/views.ts';
import { run } from '../image/command.ts';
import { makeDebianImage } from '../image/debian-image.ts';
import { type CommandStation, startStation } from '../station/station.ts';
import { findDemoEngine } from './demo-engine.ts';
import { showLazyMount, whyNoMounts } from './lazy-mount.ts';

const say = (line = '') => process.stdout.write(`${line}\n`);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** One step: what a user would type, then what came of it. */
async function step<T>(command: string, work: () => Promise<T>, outcome: (result: T) => string): Promise<T> {
  say(`> ${command}`);
  const start = performance.now();
  const result = await work();
  say(`  ${outcome(result)}  (${seconds(start)})`);
  return result;
}

const totalsText = (verb: string, { bytes, here, moved }: TotalsView) =>
  `${megabytes(bytes)} of content: ${megabytes(moved)} ${verb}, ${megabytes(here)} already here`;

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`${what}: it is not so`);
}

const folder = mkdtempSync(join(tmpdir(), 'shp-demo-'));
const stack = new AsyncDisposableStack();
stack.defer(() => rmSync(folder, { recursive: true, force: true }));

async function demonstrate(): Promise<void> {
  const began = performance.now();
  say('Making two images from Debian packages (a minimal Debian with python3, and one with zstd as well) …');
  const work = process.env['SHP_DEMO_IMAGES'] ?? join(folder, 'images');
  const make = (name: string, packages: readonly string[]) =>
    makeDebianImage(work, {
      out: join(folder, `${name}.tar`),
      name: `${name}:1`,
      packages,
      filler: 0,
      seed: '1',
      command: ['python3'],
    });
  const first = await make('debian-python', ['python3']);
  const second = await make('debian-python-zstd', ['python3', 'zstd']);
  const size = (image: typeof first) => megabytes(image.layers.reduce((sum, layer) => sum + layer.size, 0));
  say(`  ${first.name}: ${size(first)}, ${second.name}: ${size(second)}  (${seconds(began)})`);
  say();

  say('Two stations on this machine, earth and mars, on a private network of their own');
  const start = async (name: string) =>
    step<CommandStation>(
      `dkr-shp init --net … && dkr-shp start        # ${name}`,
      async () => stack.use(await startStation({ parent: folder })),
      ({ peerId }) => `${name} is ${peerId}`,
    );
  const earth = await start('earth');
  const mars = await start('mars');
  await step(
    'dkr-shp connect …                           # mars to earth',
    () => mars.run('connect', earth.addr),
    (line) => line.trim(),
  );
  say();

  const id = first.imageId.slice(7, 19);
  const pushed = await step(
    'dkr-shp push ./debian-python.tar            # earth',
    () => earth.push(first.path),
    ({ address, totals }) => `published as ${address}\n  ${totalsText('written', totals)}`,
  );
  const pulled = await step(
    `dkr-shp pull ${id}                   # mars`,
    () => mars.pull(id),
    ({ address, totals }) => `pulled ${address}\n  ${totalsText('moved', totals)}`,
  );
  check('the pulled image has the image id that was pushed', pulled.manifests[0]?.imageId === first.imageId);
  say();

  say('A second image that shares most of its files');
  const pushedSecond = await step(
    'dkr-shp push ./debian-python-zstd.tar       # earth',
    () => earth.push(second.path),
    ({ address, totals }) => `published as ${address}\n  ${totalsText('written', totals)}`,
  );
  const secondId = second.imageId.slice(7, 19);
  const pulledSecond = await step(
    `dkr-shp pull /ipfs/${pushedSecond.publishedRoot}/${secondId}   # mars`,
    () => mars.pull(`/ipfs/${pushedSecond.publishedRoot}/${secondId}`),
    ({ totals }) => totalsText('moved', totals),
  );
  check('most of the second image was here already', pulledSecond.totals.here > pulledSecond.totals.moved);
  say();

  say('Removed, its data given back, and pulled again by its hash');
  await step(
    `dkr-shp rm ${id} && dkr-shp gc       # mars`,
    () => mars.forget(id),
    ({ bytes }) => `freed ${megabytes(bytes)}; the rest belongs to the second image`,
  );
  const again = `/ipfs/${pushed.publishedRoot}/${id}`;
  await step(
    `dkr-shp pull ${again}   # mars`,
    () => mars.pull(again),
    ({ totals }) => totalsText('moved', totals),
  );
  await step(
    `dkr-shp verify ${id}                 # mars`,
    () => mars.run('verify', id),
    (text) => text.trim().split('\n').at(-1) ?? '',
  );
  say();

  say('Mounted before it is here, at a third station that has nothing of it');
  const unable = whyNoMounts();
  if (unable !== undefined) say(`  left out: ${unable}`);
  else {
    const venus = await start('venus');
    await venus.run('connect', earth.addr);
    await showLazyMount({ folder, cold: venus, address: again, say });
  }
  say();

  const engine = await findDemoEngine(folder);
  if (engine === undefined) {
    say('No Docker engine runs here, and none is installed: the images stay in the stations.');
  } else {
    stack.use(engine);
    await loadIntoDocker(mars, engine, id, first.imageId);
  }
  say();
  say(`All of it worked, in ${seconds(began)}.`);
}

async function loadIntoDocker(
  station: CommandStation,
  engine: { readonly host: string; readonly text: string },
  id: string,
  imageId: string,
): Promise<void> {
  say(`Into ${engine.text}`);
  const client = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';
  const docker = (...argv: readonly string[]) => run(client, ['--host', engine.host, ...argv]);
  const had = await docker('image', 'inspect', imageId).then(
    () => true,
    () => false,
  );
  process.env['DOCKER_HOST'] = engine.host;
  await step(
    `dkr-shp pull ${id}                   # mars`,
    () => station.run('pull', id),
    (line) => line.trim(),
  );
  if (!had) stack.defer(async () => void (await docker('image', 'rm', id)));
  const [inspected] = JSON.parse(await docker('image', 'inspect', id)) as [{ readonly Id: string }];
  check('the engine shows the image id that was pushed', inspected.Id === imageId || had);
  await step(
    `docker run --rm --network none ${id} python3 -c …`,
    () =>
      docker(
        'run',
        '--rm',
        '--network',
        'none',
        id,
        'python3',
        '-c',
        'import sys; print("python", sys.version.split()[0], "says hello")',
      ),
    (line) => line.trim(),
  );
}

let ending = false;
async function end(code: number): Promise<never> {
  if (!ending) {
    ending = true;
    await stack.disposeAsync().catch((error: Error) => {
      process.stderr.write(`demo: cleaning up: ${error.message}\n`);
      process.exitCode = 1;
    });
  }
  process.exit(process.exitCode ?? code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130));
try {
  await demonstrate();
} catch (error) {
  if (!ending) process.stderr.write(`demo: ${(error as Error).message}\n`);
  await end(1);
}
await end(0);
