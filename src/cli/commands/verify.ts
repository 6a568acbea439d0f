import { systemClock } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { VerifyResult } from '../../observe/control/views.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import { figureCount, figureSize } from '../figures.ts';
import { createProgressView } from '../progress/progress-view.ts';
import { stationClient } from '../station-client.ts';

export const verify: CommandModule = (program, context) => {
  program
    .command('verify')
    .argument('<image>', 'an image of this station: name, id or its beginning, hash of its root')
    .summary('check all bytes of an image')
    .description('Reads everything, rebuilds each layer and compares it with its diffID and layer root.')
    .action((image: string) => runVerify(context(), image));
};

async function runVerify(context: CommandContext, image: string): Promise<void> {
  const view = createProgressView(context.terminal.err, context.json, systemClock);
  let found: VerifyResult;
  try {
    found = await stationClient(context).operate(
      'verify',
      { image },
      { onProgress: view.update, signal: context.signal },
    );
  } finally {
    view.end();
  }
  if (found.problems.length > 0) {
    for (const problem of found.problems) context.note(problem);
    throw new Fault(
      'corrupt',
      'verify-failed',
      `${image} is not whole: ${figureCount(found.problems.length, 'problem')}`,
      {
        fields: { root: found.root, problems: found.problems },
      },
    );
  }
  context.result(
    `verified ${found.root}: ${figureCount(found.layers, 'layer')}, ${figureCount(found.objects, 'object')}, ${figureSize(found.bytes)}`,
    found,
  );
}
