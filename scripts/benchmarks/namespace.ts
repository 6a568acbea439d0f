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
  // Not `ip netns exec`: it mounts a /sys of its own, without the cgroups that dockerd looks for.
  const prefix = ['nsenter', `--net=/run/netns/${name}`, '--'] as const;
  const exec = (program: string, ...argv: readonly string[]) =>
    run('nsenter', [...prefix.slice(1), program, ...argv]);
  await exec('ip', 'link', 'set', 'lo', 'up');
  return {
    name,
    prefix,
    exec,
    [Symbol.asyncDispose]: async () => {
      await run('ip', ['netns', 'delete', name]);
    },
  };
}
