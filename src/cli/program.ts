import { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { CommandModule } from './command-module.ts';
import { addrs } from './commands/addrs.ts';
import { completion } from './commands/completion.ts';
import { connect } from './commands/connect.ts';
import { debug } from './commands/debug.ts';
import { gc } from './commands/gc.ts';
import { init } from './commands/init.ts';
import { inspect } from './commands/inspect.ts';
import { ls } from './commands/ls.ts';
import { mount } from './commands/mount.ts';
import { net } from './commands/net.ts';
import { peers } from './commands/peers.ts';
import { profile } from './commands/profile.ts';
import { pull } from './commands/pull.ts';
import { push } from './commands/push.ts';
import { rm } from './commands/rm.ts';
import { start } from './commands/start.ts';
import { status } from './commands/status.ts';
import { stop } from './commands/stop.ts';
import { trust } from './commands/trust.ts';
import { umount } from './commands/umount.ts';
import { verify } from './commands/verify.ts';
import { programHelp } from './help-text.ts';

const COMMANDS: readonly CommandModule[] = [
  init,
  start,
  push,
  pull,
  mount,
  umount,
  profile,
  stop,
  status,
  ls,
  inspect,
  rm,
  gc,
  verify,
  peers,
  addrs,
  connect,
  trust,
  net,
  debug,
  completion,
];

/** The global options as commander hands them over. */
export interface GlobalFlags {
  readonly root?: string;
  readonly json?: boolean;
}

/**
 * The whole command line. Its exits are thrown (`CommanderError`), its output goes through `write`.
 * @param context made when an action runs, from the global options
 */
export function createProgram(
  version: string,
  context: (flags: GlobalFlags) => CommandContext,
  write: { out(text: string): void; err(text: string): void },
): Command {
  const program = new Command('dkr-shp');
  // Before the commands: each takes these over from its parent when it is made.
  program
    .exitOverride()
    .configureOutput({ writeOut: write.out, writeErr: write.err, outputError: (text) => write.err(text) })
    .showHelpAfterError('(dkr-shp help shows the commands, dkr-shp help <command> its options)')
    .version(version, '--version', 'print the version')
    .option('--root <dir>', 'where the station lives (SHP_ROOT, else /var/lib/shp)')
    .option('--json', 'results as JSON on stdout, progress as lines of JSON on stderr')
    .helpOption('--help', 'print help');
  program.helpInformation = () => programHelp();
  for (const command of COMMANDS) command(program, () => context(program.opts<GlobalFlags>()));
  program.helpCommand('help [command]', 'show the options of a command');
  return program;
}
