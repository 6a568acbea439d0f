import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchContext, Benchmark } from './context.ts';
import { type Figure, figureText } from './figure.ts';
import { commandTimes } from './figures/commands.ts';
import { indexDecode } from './figures/index-decode.ts';
import { lazyStarts } from './figures/lazy-start.ts';
import { memoryOverPushes, stationMemory } from './figures/memory.ts';
import { manyLayers } from './figures/mount-layers.ts';
import { mountedMemory, mountTimes, stalledStation } from './figures/mount-server.ts';
import { mountedTree } from './figures/mount-tree.ts';
import { pullOverLink } from './figures/pull-link.ts';
import { pullOnLoopback } from './figures/pull-loopback.ts';
import { severalSeeders } from './figures/pull-seeders.ts';
import { pushAgainstLoad, relatedPush } from './figures/push-load.ts';
import { makeFilesystem } from './filesystem.ts';
import { writeResults } from './results-page.ts';

const SUITES: Readonly<Record<string, readonly Benchmark[]>> = {
  push: [pushAgainstLoad, relatedPush],
  pull: [pullOnLoopback, severalSeeders, pullOverLink],
  mount: [mountedTree, manyLayers, mountTimes, mountedMemory, stalledStation],
  lazy: lazyStarts,
  start: [commandTimes, indexDecode, stationMemory, memoryOverPushes],
};
const PAGE = new URL('../../docs/benchmarks.md', import.meta.url).pathname;
const USAGE = `scripts/bench <${Object.keys(SUITES).join('|')}> [options]

  --json         one line of JSON a figure on stdout
  --write        puts the results into docs/benchmarks.md
  --only TEXT    only the benchmarks whose names contain it
  --pairs N      at least N samples (7)
  --most N       at most N while a target is undecided (25)
  --work DIR     keeps the images from run to run

Exits with 1 when a target is missed, 3 when one stays undecided.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    pairs: { type: 'string', default: '7' },
    most: { type: 'string', default: '25' },
    work: { type: 'string', default: join(tmpdir(), 'shp-bench-images') },
  },
});
const [suite = ''] = positionals;
const benchmarks = SUITES[suite];
if (benchmarks === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}

const disk = makeFilesystem(mkdtempSync(join(tmpdir(), 'shp-bench-')));
process.once('exit', () => disk.remove());
mkdirSync(resolve(values.work), { recursive: true });
const say = (line: string) => process.stderr.write(`${line}\n`);
const context: BenchContext = {
  folder: disk.path,
  work: resolve(values.work),
  sampling: {
    least: Number(values.pairs),
    most: Number(values.most),
    onSample: (taken, value) => say(`  ${taken}: ${value}`),
  },
  say,
};
const figures: Figure[] = [];
for (const benchmark of benchmarks) {
  if (!benchmark.name.includes(values.only)) continue;
  say(`== ${benchmark.name}`);
  for (const figure of await benchmark.run(context)) {
    figures.push(figure);
    process.stdout.write(`${values.json ? JSON.stringify(figure) : figureText(figure)}\n`);
  }
}
if (values.write) writeResults(PAGE, suite, figures, new Date().toISOString().slice(0, 10));
const verdicts = figures.map(({ met }) => met);
process.exitCode = verdicts.includes('missed') ? 1 : verdicts.includes('undecided') ? 3 : 0;
