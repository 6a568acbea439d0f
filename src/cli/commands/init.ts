import { Fault } from '../../base/fault.ts';
import { initRoot, readNetworkKey } from '../../config/init-root.ts';
import {
  formatNetworkKey,
  makeNetworkKey,
  type NetworkKey,
  parseNetworkKey,
} from '../../config/network-key.ts';
import { parseOverride } from '../../config/setting-value.ts';
import { collect } from '../collect-option.ts';
import type { CommandContext } from '../command-context.ts';
import type { CommandModule } from '../command-module.ts';

interface InitFlags {
  readonly net?: true | string;
  readonly set?: readonly string[];
}

/** The most that `--net -` reads. */
const MAX_INPUT = 64 * 1024;

export const init: CommandModule = (program, context) => {
  program
    .command('init')
    .summary('initialize a shp station')
    .description(
      'Makes the root with identity and settings file. Without --net the station joins the public IPFS network, where what is pushed can be fetched by anyone who knows its hash. A second init changes nothing.',
    )
    .option(
      '--net [key]',
      'a private network: without a value a new key is made and printed; else a key file (a path), 64 hex digits, - for stdin, or any text, which is stretched to a key',
    )
    .option('--set <name=value>', 'write a setting into the settings file (may be repeated)', collect)
    .action((flags: InitFlags) => runInit(context(), flags));
};

async function runInit(context: CommandContext, flags: InitFlags): Promise<void> {
  const overrides = (flags.set ?? []).map(parseOverride);
  const key = flags.net === undefined ? undefined : await readKey(flags.net, context);
  if (key?.warning !== undefined) context.note(`note: ${key.warning}`);
  const { root, created, peerId, network, fingerprint } = await initRoot(context.root, {
    ...(key === undefined ? {} : { networkKey: key }),
    overrides,
  });
  const made = created && flags.net === true && key !== undefined;
  if (made) {
    context.note(`a new private network ${fingerprint}; give its key to the other stations only:`);
    context.note(formatNetworkKey(key.psk).trimEnd().split('\n').at(-1) as string);
  } else if (created && network === 'private') {
    context.note(`on the private network ${fingerprint}`);
  }
  if (created && network === 'public') {
    context.note(
      'note: this station joins the public IPFS network: what you push is public (init --net makes a private one)',
    );
  }
  const document = {
    root,
    created,
    peerId,
    network,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(made ? { key: Buffer.from(key.psk).toString('hex') } : {}),
  };
  const line = created
    ? `initialized shp station (registry) at ${root}`
    : `already initialized: shp station (registry) at ${root}, nothing changed`;
  context.result(line, document);
}

async function readKey(given: true | string, context: CommandContext): Promise<NetworkKey> {
  if (given === true) return keyOfRoot(context);
  return parseNetworkKey(given === '-' ? await readInput(context.input) : given);
}

/** A second `init --net` must not make a second key: the one that is there is meant. */
async function keyOfRoot(context: CommandContext): Promise<NetworkKey> {
  return (await readNetworkKey(context.root)) ?? makeNetworkKey();
}

async function readInput(input: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of input) {
    text += chunk.toString();
    if (text.length > MAX_INPUT)
      throw new Fault('invalid', 'bad-key-file', 'the network key on stdin is too long');
  }
  return text;
}
