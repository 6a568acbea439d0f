import { startStation } from '../../station/station.ts';
import type { Benchmark } from '../context.ts';
import { bigImage, pythonImage } from '../context.ts';
import { plainFigure } from '../figure.ts';
import { peakResidentBytes, residentBytes, settle } from '../machine.ts';

const MIB = 2 ** 20;
const PEAK_TARGET = { atMost: 150 };
/** MiB that ten pushes may add after the second, which has warmed all there is to warm. */
const GROWTH_TARGET = { atMost: 20 };
const PUSHES = 10;

export const stationMemory: Benchmark = {
  name: 'resident memory',
  run: async (context) => {
    const big = await bigImage(context);
    await using seeder = await startStation({ parent: context.folder });
    await using puller = await startStation({ parent: context.folder });
    await settle();
    const atRest = residentBytes(seeder.pid);
    let address = '';
    const pushPeak = await peakResidentBytes(seeder.pid, async () => {
      address = (await seeder.push(big.path)).address;
    });
    await puller.run('connect', seeder.addr);
    await settle();
    const [servingRest, pullingRest] = [residentBytes(seeder.pid), residentBytes(puller.pid)];
    let servePeak = 0;
    const pullPeak = await peakResidentBytes(puller.pid, async () => {
      servePeak = await peakResidentBytes(seeder.pid, () => puller.pull(address));
    });
    return [
      plainFigure('resident memory of a station at rest', atRest / MIB, 'MiB'),
      plainFigure('more at the peak of a push of 2 GB', (pushPeak - atRest) / MIB, 'MiB', PEAK_TARGET),
      plainFigure('more at the peak of a pull of 2 GB', (pullPeak - pullingRest) / MIB, 'MiB', PEAK_TARGET),
      plainFigure('more at the peak of serving it', (servePeak - servingRest) / MIB, 'MiB'),
    ];
  },
};

export const memoryOverPushes: Benchmark = {
  name: 'memory over ten pushes',
  run: async (context) => {
    const image = await pythonImage(context);
    await using station = await startStation({ parent: context.folder });
    const after: number[] = [];
    for (let push = 0; push < PUSHES; push++) {
      await station.push(image.path);
      await station.forget(image.imageId.slice(7, 19));
      await settle();
      after.push(residentBytes(station.pid) / MIB);
      context.say(`after push ${push + 1}: ${after.at(-1)?.toFixed(0)} MiB`);
    }
    const growth = (after.at(-1) ?? 0) - (after[1] ?? 0);
    return [
      plainFigure('resident memory after ten pushes', after.at(-1) ?? 0, 'MiB'),
      plainFigure('of it since the second', growth, 'MiB', GROWTH_TARGET),
    ];
  },
};
