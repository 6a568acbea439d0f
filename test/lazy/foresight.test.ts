import { bytesOf } from '../store/store-fixture.ts';
import { buildImage, dockerArchive } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { wantOf } from './support/lazy-content.ts';
import { lazyPair } from './support/lazy-station.ts';

const KiB = 1024;
/** Its command is /bin/sh. */
const image = buildImage({
  layers: [
    [
      file('bin/sh', Buffer.from('#!/bin/interpreter\nimport module\n')),
      file('bin/interpreter', bytesOf(1, 100 * KiB)),
      file('lib/py/a.py', Buffer.from('import used\n')),
      file('lib/py/used.py', Buffer.from('import deeper\n'.padEnd(40_000, '#'))),
      file('lib/py/deeper.py', Buffer.from('x = 1\n'.padEnd(30_000, '#'))),
      file('lib/py/unused.py', bytesOf(3, 200 * KiB)),
      file('data/never', bytesOf(2, 500 * KiB)),
    ],
  ],
  names: ['app:1'],
});
const soon = (): AbortSignal => AbortSignal.timeout(30_000);

describe('a first start', () => {
  it('is foreseen from the command and from what contents name, and nothing else is fetched', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off', backgroundQuietMs: 5000 } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const { objects } = b.station.store;
    const here = (path: string): boolean => objects.has(wantOf(b, opened, path).cid);
    while (!here('bin/sh') || !here('bin/interpreter')) await new Promise((go) => setTimeout(go, 10));

    await b.lazy.want({ ...wantOf(b, opened, 'lib/py/a.py'), path: '/lib/py/a.py' }, soon());
    while (!here('lib/py/used.py') || !here('lib/py/deeper.py'))
      await new Promise((go) => setTimeout(go, 10));
    expect(here('lib/py/unused.py')).toBe(false);
    expect(here('data/never')).toBe(false);
  });
});
