// Bundles the command line, the station, what serves its mounts, and the workers into dist/: one file a process loads fast, and the package
// needs no dependencies but the native ones.
import { globSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Each holds a .node file that it finds beside itself.
const NATIVE = ['lmdb', 'sodium-native', 'koffi'];
// CommonJS packages inside the bundle call require, __filename and __dirname, which ES modules have not.
const COMMONJS = `
import { createRequire as __createRequire } from 'node:module';
import { dirname as __pathDirname } from 'node:path';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __pathDirname(__filename);
`;

const workers = globSync('src/**/*-worker.ts', { cwd: root });
const processes = ['dkr-shp', 'station', 'keeper', 'mount-server'].map((name) => `src/bin/${name}.ts`);
const entries = [...processes, ...workers];

const { metafile } = await build({
  absWorkingDir: root,
  // A worker is found as a file beside the one that starts it: all lie flat in dist/.
  entryPoints: entries.map((path) => ({ in: path, out: basename(path, '.ts') })),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  // A chunk may start a worker too: `new URL('./x-worker.js', import.meta.url)` must hold wherever the code lands.
  chunkNames: 'chunk-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node22',
  external: NATIVE,
  banner: { js: COMMONJS },
  legalComments: 'external',
  metafile: true,
  logLevel: 'warning',
});
// What an earlier build left goes last: a station that runs from dist/ loads some chunks late.
for (const name of readdirSync(`${root}dist`)) {
  if (metafile.outputs[`dist/${name}`] === undefined) await rm(`${root}dist/${name}`, { recursive: true });
}
for (const [path, { bytes }] of Object.entries(metafile.outputs)) {
  if (!path.includes('/chunk-')) process.stdout.write(`${path} ${Math.round(bytes / 1024)} KiB\n`);
}
