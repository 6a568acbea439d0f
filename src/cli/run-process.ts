import { fileURLToPath } from 'node:url';
import { VERSION } from '../config/version.ts';
import { runCli } from './run-cli.ts';

/**
 * Runs the command line as this process: signals, streams and exit code.
 * @param stationEntry the file that runs a station
 */
export async function runProcess(stationEntry: URL): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The second one does not wait for anybody.
      if (interrupt.signal.aborted) process.exit(130);
      interrupt.abort();
    });
  }
  // `dkr-shp ls | head -1` closes our stdout: nobody reads any more, which is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  process.exitCode = await runCli({
    argv: process.argv.slice(2),
    env: process.env,
    terminal: { out: process.stdout, err: process.stderr },
    input: process.stdin,
    signal: interrupt.signal,
    version: VERSION,
    stationEntry: fileURLToPath(stationEntry),
  });
}
