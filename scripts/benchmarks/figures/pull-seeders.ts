import { startStation } from '../../station/station.ts';
import type { Benchmark } from '../context.ts';
import { pythonImage } from '../context.ts';
import { pairFigure } from '../figure.ts';
import { timed } from '../machine.ts';
import { runPairs } from '../sampling.ts';
import { newPuller } from './pull-loopback.ts';

/** Rate against rate: three limited seeders and one. */
const TARGET = { atLeast: 2.5 };
const LIMIT = 'serve.uploadLimit=20MB';

export const severalSeeders: Benchmark = {
  name: 'three seeders',
  run: async (context) => {
    const image = await pythonImage(context);
    await using stations = new AsyncDisposableStack();
    const station = async (...settings: readonly string[]) =>
      stations.use(await startStation({ parent: context.folder, settings }));
    const seeders = [await station(LIMIT), await station(LIMIT), await station(LIMIT)];
    let [address, bytes] = ['', 0];
    for (const seeder of seeders) {
      const pushed = await seeder.push(image.path);
      [address, bytes] = [pushed.address, pushed.totals.bytes];
    }
    const addrs = seeders.map(({ addr }) => addr);
    const rate = (from: readonly string[]) => async () => {
      await using puller = await newPuller(from, { parent: context.folder });
      const seconds = await timed(() => puller.pull(address));
      return bytes / 1e6 / seconds;
    };
    const pairs = await runPairs(rate(addrs), rate(addrs.slice(0, 1)), TARGET, context.sampling);
    return [pairFigure('pull from 3 seeders of 20 MB/s each', 'MB/s', 'from one of them', pairs, TARGET)];
  },
};
