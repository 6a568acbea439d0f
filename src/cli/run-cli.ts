import { CommanderError } from 'commander';
import { Fault, toFault, toFaultRecord } from '../base/fault.ts';
import { DEFAULT_ROOT } from '../config/root-layout.ts';
import { type CommandContext, printer } from './command-context.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { programHelp } from './help-text.ts';
import { createProgram, type GlobalFlags } from './program.ts';
import { printable, type Terminal } from './terminal.ts';

export interface CliProcess {
  /** Without node and script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
  readonly input: NodeJS.ReadableStream;
  readonly signal: AbortSignal;
  readonly version: string;
  readonly stationEntry: string;
}

/** Runs one command and answers the exit code; never throws. */
export async function runCli(cli: CliProcess): Promise<number> {
  const { argv, terminal } = cli;
  if (argv.length === 0) {
    terminal.out.write(programHelp());
    return 0;
  }
  let json = false;
  const program = createProgram(
    cli.version,
    (flags) => {
      json = flags.json === true;
      return contextOf(cli, flags);
    },
    { out: (text) => terminal.out.write(text), err: (text) => terminal.err.write(text) },
  );
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.invalid;
    return reportFault(error, cli, json);
  }
}

function contextOf(cli: CliProcess, flags: GlobalFlags): CommandContext {
  const json = flags.json === true;
  const root = flags.root ?? (cli.env['SHP_ROOT'] || DEFAULT_ROOT);
  const { terminal, env, signal, stationEntry, input } = cli;
  // The environment reaches the suggested command too; only an explicit option has to be repeated.
  const rootOption = flags.root === undefined ? '' : ` --root ${shellWord(flags.root)}`;
  return { root, json, terminal, env, signal, stationEntry, input, rootOption, ...printer(terminal, json) };
}

/** As a shell reads it back. */
function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function reportFault(error: unknown, { signal, terminal }: CliProcess, json: boolean): number {
  const fault = signal.aborted ? interrupted(error) : toFault(error);
  if (json) terminal.err.write(`${JSON.stringify({ event: 'fault', fault: toFaultRecord(fault) })}\n`);
  else {
    const prefix = fault.kind === 'cancelled' ? '' : 'error: ';
    terminal.err.write(`${prefix}${printable(fault.message)}\n`);
    if (fault.kind === 'internal') terminal.err.write(`${fault.stack ?? ''}\n`);
  }
  return EXIT_CODES[fault.kind];
}

function interrupted(error: unknown): Fault {
  return new Fault('cancelled', 'interrupted', 'interrupted; run it again: it goes on where it stopped', {
    cause: error,
  });
}
