export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What may follow one command. */
export interface CompletionWords {
  readonly command: string;
  readonly summary: string;
  /** Its own commands and options. */
  readonly words: readonly string[];
}

const GLOBAL = ['--root', '--json', '--version', '--help'];

/** A script for the shell, made from the program itself; no final line end. */
export function renderCompletion(shell: Shell, commands: readonly CompletionWords[]): string {
  return shell === 'fish' ? fish(commands) : bash(commands, shell === 'zsh');
}

/** zsh runs bash's completion functions by bashcompinit (zshcompsys(1)). */
function bash(commands: readonly CompletionWords[], forZsh: boolean): string {
  const names = [...commands.map(({ command }) => command), ...GLOBAL].join(' ');
  const cases = commands
    .filter(({ words }) => words.length > 0)
    .map(({ command, words }) => `      ${command}) words="${words.join(' ')}" ;;`);
  return [
    ...(forZsh ? ['#compdef dkr-shp shp', 'autoload -U +X bashcompinit && bashcompinit'] : []),
    '_dkr_shp() {',
    `  local words="${names}" word`,
    `  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`,
    '    case "$word" in',
    ...cases,
    '    esac',
    '  done',
    `  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
    '}',
    'complete -o default -F _dkr_shp dkr-shp shp',
  ].join('\n');
}

function fish(commands: readonly CompletionWords[]): string {
  const lines = [`set -l shp_commands ${commands.map(({ command }) => command).join(' ')}`];
  for (const program of ['dkr-shp', 'shp']) {
    for (const { command, summary, words } of commands) {
      lines.push(
        `complete -c ${program} -n "not __fish_seen_subcommand_from $shp_commands" -a ${command} -d '${summary.replaceAll("'", "\\'")}'`,
      );
      if (words.length > 0) {
        lines.push(
          `complete -c ${program} -n "__fish_seen_subcommand_from ${command}" -a '${words.join(' ')}'`,
        );
      }
    }
  }
  return lines.join('\n');
}
