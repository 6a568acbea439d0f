import { Fault } from '../../base/fault.ts';
import { readIdentity } from '../../config/identity-file.ts';
import { readNetworkKey } from '../../config/init-root.ts';
import { formatNetworkKey } from '../../config/network-key.ts';
import type { NetworkView } from '../../observe/control/views.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';
import { runningStation } from '../running-station.ts';
import { networkWords } from './status.ts';

export const net: CommandModule = (program, context) => {
  const command = program
    .command('net')
    .summary('show the network, or its key')
    .action(() => runNet(context()));
  command
    .command('key')
    .summary("print the private network's key file, for the other stations' init --net -")
    .action(() => runKey(context()));
};

/** Works without a running station too; a running one adds whom it refused. */
async function runNet(context: CommandContext): Promise<void> {
  await readIdentity(context.root);
  const key = await readNetworkKey(context.root);
  const offline: NetworkView = {
    kind: key === undefined ? 'public' : 'private',
    lanOnly: false,
    ...(key === undefined ? {} : { fingerprint: key.fingerprint }),
    refusals: [],
  };
  const network = (await runningStation(context))?.network ?? offline;
  context.lines(
    [networkWords(network), ...network.refusals.map((refusal) => `refused: ${refusal}`)],
    network,
  );
}

async function runKey(context: CommandContext): Promise<void> {
  await readIdentity(context.root);
  const key = await readNetworkKey(context.root);
  if (key === undefined) {
    throw new Fault('not-found', 'no-network-key', 'this station is on the public network: there is no key');
  }
  context.lines(formatNetworkKey(key.psk).trimEnd().split('\n'), {
    fingerprint: key.fingerprint,
    key: Buffer.from(key.psk).toString('hex'),
  });
}
