import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';

/**
 * One command: its file adds it to the program with arguments, options and help. The action asks for the context when
 * it runs: only then are the global options known.
 */
export type CommandModule = (program: Command, context: () => CommandContext) => void;
