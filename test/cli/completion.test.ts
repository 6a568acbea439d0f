import { execFileSync } from 'node:child_process';
import { renderCompletion } from '../../src/cli/completion-script.ts';
import { runHere } from './fixture/run-command.ts';

const complete = (script: string, words: readonly string[]) =>
  execFileSync(
    'bash',
    [
      '-c',
      `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _dkr_shp; echo "\${COMPREPLY[@]}"`,
    ],
    { encoding: 'utf8' },
  ).trim();

describe('completion', () => {
  it('in bash knows commands, their options and their own commands', async () => {
    const script = (await runHere(['completion', 'bash'], {})).out;
    expect(complete(script, ['dkr-shp', 'st'])).toBe('start stop status');
    expect(complete(script, ['dkr-shp', 'trust', ''])).toBe('add rm ls');
    expect(complete(script, ['dkr-shp', 'pull', '--st'])).toBe('--store-only');
    expect(complete(script, ['dkr-shp', '--root', '/x', 'init', '--n'])).toBe('--net');
  });

  it('for fish quotes what it says', () => {
    const script = renderCompletion('fish', [
      { command: 'addrs', summary: "list this station's", words: [] },
    ]);
    expect(script).toContain("-d 'list this station\\'s'");
  });
});
