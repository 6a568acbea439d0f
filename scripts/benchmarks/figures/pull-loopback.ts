import { startRegistry } from '../../../test/support/registry.ts';
import { startStation } from '../../station/station.ts';
import type { Benchmark } from '../context.ts';
import { pythonImage } from '../context.ts';
import { type BenchDocker, startDocker } from '../docker.ts';
import { pairFigure, sampledFigure } from '../figure.ts';
import { timed } from '../machine.ts';
import { runPairs } from '../sampling.ts';
import { median, medianInterval } from '../statistics.ts';
import { judge } from '../target.ts';

const RATIO_TARGET = { atMost: 1 };
const RATE_TARGET = { atLeast: 70 };

/** Puts an archive into a registry under a name there, and forgets it in the engine. */
export async function publish(docker: BenchDocker, archive: string, from: string, to: string): Promise<void> {
  await docker.docker('load', '--quiet', '--input', archive);
  await docker.docker('tag', from, to);
  await docker.docker('push', '--quiet', to);
  await docker.forgetAll();
}

/** Two stations on loopback, cold and into the store; against docker pull from Debian's docker-registry on loopback. */
export const pullOnLoopback: Benchmark = {
  name: 'pull on loopback',
  run: async (context) => {
    const image = await pythonImage(context);
    const id = image.imageId.slice(7, 19);
    await using registry = await startRegistry();
    await using docker = await startDocker(context.folder);
    const name = `${registry.host}/${image.name}`;
    await publish(docker, image.path, image.name, name);
    await using seeder = await startStation({ parent: context.folder });
    await using puller = await startStation({ parent: context.folder });
    const pushed = await seeder.push(image.path);
    await puller.run('connect', seeder.addr);
    const rates: number[] = [];
    const pairs = await runPairs(
      async () => {
        const seconds = await timed(() => puller.pull(pushed.address));
        rates.push(pushed.totals.bytes / 1e6 / seconds);
        await puller.forget(id);
        return seconds;
      },
      async () => {
        const seconds = await timed(() => docker.docker('pull', '--quiet', name));
        await docker.forgetAll();
        return seconds;
      },
      RATIO_TARGET,
      context.sampling,
    );
    const interval = medianInterval(rates);
    const rate = { samples: rates, median: median(rates), interval, verdict: judge(interval, RATE_TARGET) };
    return [
      pairFigure(
        'pull into the store, loopback',
        's',
        'docker pull from docker-registry',
        pairs,
        RATIO_TARGET,
      ),
      sampledFigure('pull rate of content, loopback', 'MB/s', rate, RATE_TARGET),
    ];
  },
};
