import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeDebianImage } from './debian-image.ts';

const USAGE = `scripts/make-image --out image.tar [options]

Makes a docker-archive of this machine's own Debian: a minimal system, and a layer of packages on it.

  --out FILE         the archive to write
  --packages "a b"   Debian packages of the second layer        (python3)
  --name NAME:TAG    the image's name                           (debian-python:1)
  --filler MIB       MiB of made-up files in a third layer      (0)
  --seed TEXT        other made-up files of the same size       (1)
  --work DIR         keeps the trees, so that the next image is quick
  --json             prints what was made as one line of JSON
`;

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    packages: { type: 'string', default: 'python3' },
    name: { type: 'string', default: 'debian-python:1' },
    filler: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    work: { type: 'string', default: join(tmpdir(), 'shp-make-image') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || values.out === undefined) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
const packages = values.packages.split(/[\s,]+/).filter((name) => name !== '');
const made = await makeDebianImage(resolve(values.work), {
  out: resolve(values.out),
  name: values.name,
  packages,
  filler: Number(values.filler) * 1_048_576,
  seed: values.seed,
  command: packages.includes('python3') ? ['python3'] : ['/bin/sh'],
});
const size = made.layers.reduce((sum, layer) => sum + layer.size, 0);
const entries = made.layers.reduce((sum, layer) => sum + layer.entries, 0);
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ...made, size, entries })}\n`
    : `${made.path}: ${made.name}, ${(size / 1e6).toFixed(0)} MB, ${entries} entries, ${made.layers.length} layers, image id ${made.imageId.slice(7, 19)}\n`,
);
