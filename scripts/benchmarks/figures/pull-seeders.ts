import { startStation } from '../../station/station.ts';
import type { Benchmark } from '../context.ts';
import { pythonImage } from '../context.ts';
import { pairFigure } from '../figure.ts';
import { timed } from '../machine.ts';
import { runPairs } from '../sampling.ts';

/** Rate against rate: three limited seeders and one. */
const TARGET = { atLeast: 2.5 };
const LIMIT = 'serve.uploadLimit=20MB';

export const severalSeeders: Benchmark = {
  name: 'three seeders',
  run: async (context) => {
    const image = await pythonImage(context);
    const id = image.imageId.slice(7, 19);
    await using stations = new AsyncDisposableStack();
    const station = async (...settings: readonly string[]) =>
      stations.use(await startStation({ parent: context.folder, settings }));
    const seeders = [await station(LIMIT), await station(LIMIT), await station(LIMIT)];
    let [address, bytes] = ['', 0];
    for (const seeder of seeders) {
      const pushed = await seeder.push(image.path);
      [address, bytes] = [pushed.address, pushed.totals.bytes];
    }
    // Two pullers: a connection, once made, is not taken back.
    const [three, one] = [await station(), await station()];
    for (const seeder of seeders) await three.run('connect', seeder.addr);
    await one.run('connect', seeders[0]?.addr ?? '');
    const rate = (puller: typeof one) => async () => {
      const seconds = await timed(() => puller.pull(address));
      await puller.forget(id);
      return bytes / 1e6 / seconds;
    };
    const pairs = await runPairs(rate(three), rate(one), TARGET, context.sampling);
    return [pairFigure('pull from 3 seeders of 20 MB/s each', 'MB/s', 'from one of them', pairs, TARGET)];
  },
};
