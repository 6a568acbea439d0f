import { Fault } from '../base/fault.ts';
import type { StationStatus } from '../observe/control/views.ts';
import type { CommandContext } from './command-context.ts';
import { stationClient } from './station-client.ts';

/** The status of the station of this root; `undefined` when none runs. */
export async function runningStation(context: CommandContext): Promise<StationStatus | undefined> {
  try {
    return await stationClient(context).call('status', undefined, context.signal);
  } catch (error) {
    if (error instanceof Fault && error.code === 'station-not-running') return undefined;
    throw error;
  }
}
