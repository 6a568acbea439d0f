import { spawn } from 'node:child_process';
import { processEntry } from './process-entry.ts';

/** Starts a keeper that outlives this process. Where one runs already, the new one ends by itself. */
export function startKeeper(root: string): void {
  const { command, args, env } = processEntry('keeper', ['--root', root]);
  const child = spawn(command, args, { cwd: '/', env, detached: true, stdio: 'ignore' });
  // What is wrong shows when it does not answer.
  child.once('error', () => {});
  child.unref();
}
