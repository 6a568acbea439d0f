import { run } from '../image/command.ts';

/** A network namespace that goes away with `await using`. */
export interface NetworkNamespace extends AsyncDisposable {
  readonly name: string;
  /** Put before a command that shall run in it. */
  readonly prefix: readonly string[];
  exec(program: string, ...argv: readonly string[]): Promise<string>;
}

export async function makeNamespace(name: string): Promise<NetworkNamespace> {
  await run('ip', ['netns', 'add', name]);
  const exec = (program: string, ...argv: readonly string[]) =>
    run('ip', ['netns', 'exec', name, program, ...argv]);
  await exec('ip', 'link', 'set', 'lo', 'up');
  return {
    name,
    prefix: ['ip', 'netns', 'exec', name],
    exec,
    [Symbol.asyncDispose]: async () => {
      await run('ip', ['netns', 'delete', name]);
    },
  };
}
