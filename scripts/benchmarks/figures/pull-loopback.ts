import { startRegistry } from '../../../test/support/registry.ts';
import { type CommandStation, type StationOptions, startStation } from '../../station/station.ts';
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

/**
 * A station that saw no image yet: one that forgot the image still knows which diffIDs it verified, and would verify less.
 * @param seeders addresses, one or several
 */
export async function newPuller(
  seeders: string | readonly string[],
  options: StationOptions,
): Promise<CommandStation> {
  const puller = await startStation(options);
  for (const addr of [seeders].flat()) await puller.run('connect', addr);
  return puller;
}

/** Two stations on loopback, cold and into the store; against docker pull from Debian's docker-registry on loopback. */
export const pullOnLoopback: Benchmark = {
  name: 'pull on loopback',
  run: async (context) => {
    const image = await pythonImage(context);
    await using registry = await startRegistry();
    await using docker = await startDocker(context.folder);
    const name = `${registry.host}/${image.name}`;
    await publish(docker, image.path, image.name, name);
    await using seeder = await startStation({ parent: context.folder });
    const pushed = await seeder.push(image.path);
    const rates: number[] = [];
    const pairs = await runPairs(
      async () => {
        await using puller = await newPuller(seeder.addr, { parent: context.folder });
        const seconds = await timed(() => puller.pull(pushed.address));
        rates.push(pushed.totals.bytes / 1e6 / seconds);
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
