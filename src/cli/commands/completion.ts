import type { Command } from 'commander';
import { Fault } from '../../base/fault.ts';
import type { CommandModule } from '../command-module.ts';
import { type CompletionWords, renderCompletion, SHELLS } from '../completion-script.ts';

export const completion: CommandModule = (program, context) => {
  program
    .command('completion')
    .argument('<shell>', SHELLS.join(', '))
    .summary('print completion for bash, zsh or fish')
    .description('e.g. dkr-shp completion bash > /etc/bash_completion.d/dkr-shp')
    .action((shell: string) => {
      const known = SHELLS.find((name) => name === shell);
      if (known === undefined) {
        throw new Fault(
          'invalid',
          'usage',
          `no completion for ${JSON.stringify(shell)}: give ${SHELLS.join(', ')}`,
        );
      }
      const script = renderCompletion(known, wordsOf(program));
      context().lines(script.split('\n'), { shell, script });
    });
};

function wordsOf(program: Command): CompletionWords[] {
  return program.commands.map((command) => ({
    command: command.name(),
    summary: command.summary(),
    words: [
      ...command.commands.map((inner) => inner.name()),
      ...command.options.map((option) => option.long ?? option.short ?? ''),
    ].filter(Boolean),
  }));
}
