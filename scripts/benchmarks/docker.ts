import { type Engine, startEngine } from '../../test/support/engine.ts';
import { run } from '../image/command.ts';

/** Debian's own client: another one may stand earlier on PATH than the one that fits the engine. */
const CLIENT = '/usr/bin/docker';

/** A fresh dockerd on overlay2 and its client. */
export interface BenchDocker extends AsyncDisposable {
  readonly engine: Engine;
  docker(...argv: readonly string[]): Promise<string>;
  /** Removes every image, so that the next load or pull begins with nothing. */
  forgetAll(): Promise<void>;
}

export async function startDocker(
  parent: string,
  argv: readonly string[] = [],
  prefix: readonly string[] = [],
): Promise<BenchDocker> {
  const engine = await startEngine({ storage: 'overlay2', parent, argv, prefix });
  const docker = (...words: readonly string[]) => run(CLIENT, ['--host', engine.host, ...words]);
  return {
    engine,
    docker,
    forgetAll: async () => {
      const ids = (await docker('image', 'ls', '--quiet', '--all')).split('\n').filter((id) => id !== '');
      if (ids.length > 0) await docker('image', 'rm', '--force', ...new Set(ids));
    },
    [Symbol.asyncDispose]: () => engine.stop(),
  };
}
