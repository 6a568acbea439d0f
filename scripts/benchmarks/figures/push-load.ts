import { startStation } from '../../station/station.ts';
import type { Benchmark } from '../context.ts';
import { archiveBytes, pythonImage, relatedImage } from '../context.ts';
import { startDocker } from '../docker.ts';
import { pairFigure, plainFigure } from '../figure.ts';
import { settle, timed, writtenBytes } from '../machine.ts';
import { runPairs } from '../sampling.ts';

const TARGET = { atMost: 1 };

/** The same docker-archive into a station and into a dockerd on overlay2; both forget it in between. */
export const pushAgainstLoad: Benchmark = {
  name: 'push against docker load',
  run: async (context) => {
    const image = await pythonImage(context);
    await using station = await startStation({ parent: context.folder });
    await using docker = await startDocker(context.folder);
    const pairs = await runPairs(
      async () => {
        const seconds = await timed(() => station.push(image.path));
        await station.forget(image.imageId.slice(7, 19));
        return seconds;
      },
      async () => {
        const seconds = await timed(() => docker.docker('load', '--quiet', '--input', image.path));
        await docker.forgetAll();
        return seconds;
      },
      TARGET,
      context.sampling,
    );
    const size = archiveBytes(image) / 1e6;
    return [
      pairFigure('push of a docker-archive', 's', 'docker load into overlay2', pairs, TARGET),
      plainFigure('push rate, of layer bytes', size / pairs.a, 'MB/s'),
    ];
  },
};

/** A second image that shares most files, but no layer above the base, with the first. */
export const relatedPush: Benchmark = {
  name: 'push of a related image',
  run: async (context) => {
    const [first, second] = [await pythonImage(context), await relatedImage(context)];
    await using station = await startStation({ parent: context.folder });
    await station.push(first.path);
    await settle();
    const before = writtenBytes(station.pid);
    const { totals } = await station.push(second.path);
    await settle();
    const written = writtenBytes(station.pid) - before;
    const bytes = archiveBytes(second);
    return [
      plainFigure('related image: layer bytes', bytes / 1e6, 'MB'),
      plainFigure('related image: content bytes already here', totals.here / 1e6, 'MB'),
      plainFigure('related image: content bytes written', totals.moved / 1e6, 'MB'),
      plainFigure('related image: bytes written by the process / bytes in the image', written / bytes, ''),
    ];
  },
};
