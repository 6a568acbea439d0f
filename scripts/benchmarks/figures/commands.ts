import { runCommand, startStation } from '../../station/station.ts';
import type { Benchmark } from '../context.ts';
import { sampledFigure } from '../figure.ts';
import { timed } from '../machine.ts';
import { sample } from '../sampling.ts';

const ANSWER_TARGET = { atMost: 0.2 };
const START_TARGET = { atMost: 2 };

export const commandTimes: Benchmark = {
  name: 'answers of the command line',
  run: async (context) => {
    await using station = await startStation({ parent: context.folder });
    const help = await sample(() => timed(() => runCommand('--help')), ANSWER_TARGET, context.sampling);
    const status = await sample(() => timed(() => station.run('status')), ANSWER_TARGET, context.sampling);
    const start = await sample(
      async () => {
        await station.run('stop');
        return timed(() => station.run('start', '--set', 'network.mdns=false'));
      },
      START_TARGET,
      context.sampling,
    );
    return [
      sampledFigure('dkr-shp --help', 's', help, ANSWER_TARGET),
      sampledFigure('dkr-shp status', 's', status, ANSWER_TARGET),
      sampledFigure('dkr-shp start until it is ready', 's', start, START_TARGET),
    ];
  },
};
