import { printable, type Terminal } from './terminal.ts';

/** What a command is run with; made once from the global options. */
export interface CommandContext {
  readonly root: string;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** The file that runs a station (`start`). */
  readonly stationEntry: string;
  /** The process's standard input (`push -`, `init --net -`). */
  readonly input: NodeJS.ReadableStream;
  /** One line of result on stdout; under `--json` the document instead. */
  result(line: string, document: unknown): void;
  /** Several lines of result; under `--json` the document. */
  lines(lines: readonly string[], document: unknown): void;
  /** For people, on stderr. */
  note(text: string): void;
  /** ` --root <root>` when it is not the default, for commands that a message suggests. */
  readonly rootOption: string;
}

/** The part of a context that prints. */
export function printer(
  terminal: Terminal,
  json: boolean,
): Pick<CommandContext, 'result' | 'lines' | 'note'> {
  const document = (value: unknown) => terminal.out.write(`${JSON.stringify(value)}\n`);
  return {
    result: (line, value) => {
      if (json) document(value);
      else terminal.out.write(`${printable(line)}\n`);
    },
    lines: (lines, value) => {
      if (json) document(value);
      else terminal.out.write(lines.map((line) => `${printable(line)}\n`).join(''));
    },
    note: (text) => {
      if (json) terminal.err.write(`${JSON.stringify({ event: 'note', text })}\n`);
      else terminal.err.write(`${printable(text)}\n`);
    },
  };
}
