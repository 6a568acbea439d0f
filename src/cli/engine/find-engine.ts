import { loadSettings } from '../../config/settings.ts';
import { SETTINGS } from '../../config/settings-table.ts';
import type { CommandContext } from '../command-context.ts';
import { parseEngineAddress } from './engine-address.ts';
import { type EngineClient, openEngine } from './engine-client.ts';

/** The engine of this machine: DOCKER_HOST, else the setting `docker.host`. @throws Fault `unavailable/no-engine`, … */
export async function findEngine(context: CommandContext): Promise<EngineClient> {
  const fromEnv = context.env['DOCKER_HOST'] ?? '';
  const text = fromEnv !== '' ? fromEnv : await configuredHost(context.root);
  return openEngine(parseEngineAddress(text, context.env), context.signal);
}

/** A user who may use the engine but not read the root still gets the default. */
async function configuredHost(root: string): Promise<string> {
  try {
    return (await loadSettings(root))['docker.host'];
  } catch {
    return SETTINGS['docker.host'].default;
  }
}
