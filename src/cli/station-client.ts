import { existsSync } from 'node:fs';
import { Fault } from '../base/fault.ts';
import { rootLayout } from '../config/root-layout.ts';
import type { CommandContext } from './command-context.ts';
import { type ControlClient, createControlClient } from './control-client.ts';

/**
 * The station of this root; nothing is dialled yet.
 * @throws Fault `not-found/not-initialized` where there is no root
 */
export function stationClient(context: CommandContext): ControlClient {
  const layout = rootLayout(context.root);
  // A directory that may not be looked into shows nothing: then the socket's own error is the better one.
  if (!existsSync(layout.identity) && !existsSync(layout.controlSocket) && !isClosed(layout.root)) {
    throw new Fault(
      'unavailable',
      'station-not-running',
      `there is no shp station at ${layout.root}: run dkr-shp${context.rootOption} init, then dkr-shp${context.rootOption} start`,
      { fields: { root: layout.root } },
    );
  }
  return createControlClient(layout.controlSocket, `dkr-shp${context.rootOption} start`);
}

function isClosed(root: string): boolean {
  return existsSync(root) && !existsSync(`${root}/.`);
}
