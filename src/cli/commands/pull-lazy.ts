import { systemClock } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { PrepareResult } from '../../observe/control/mount-views.ts';
import type { CommandContext } from '../command-context.ts';
import { figureSize } from '../figures.ts';
import { createProgressView } from '../progress/progress-view.ts';
import { stationClient } from '../station-client.ts';

export interface LazyPullFlags {
  readonly platform?: string;
  readonly from?: string;
}

/**
 * `pull --lazy`: returns when the image could be mounted.
 * @param others options that were given too and say what to do with a whole image
 */
export async function runLazyPull(
  context: CommandContext,
  reference: string,
  { platform, from }: LazyPullFlags,
  others: readonly string[],
): Promise<void> {
  if (others.length > 0) {
    throw new Fault(
      'invalid',
      'usage',
      `--lazy and ${others.join(', ')} exclude each other: an image that is not here yet goes nowhere else`,
    );
  }
  if (platform === 'all') {
    throw new Fault('invalid', 'usage', '--lazy takes one platform at a time, not all');
  }
  const view = createProgressView(context.terminal.err, context.json, systemClock);
  let prepared: PrepareResult;
  try {
    prepared = await stationClient(context).operate(
      'prepare',
      {
        reference,
        ...(platform === undefined ? {} : { platform }),
        ...(from === undefined ? {} : { from }),
      },
      { onProgress: view.update, signal: context.signal },
    );
  } finally {
    view.end();
  }
  const { address, bytes, here, complete } = prepared;
  if (!complete) context.note(`note: ${figureSize(here)} of ${figureSize(bytes)} are here so far`);
  context.result(`ready to mount ${address}`, prepared);
}
