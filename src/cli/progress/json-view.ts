import type { TerminalStream } from '../terminal.ts';
import type { ProgressView } from './view.ts';

/** Every event as one line of JSON. */
export function createJsonView(stream: TerminalStream): ProgressView {
  return {
    update: (progress) => stream.write(`${JSON.stringify(progress)}\n`),
    end: () => {},
  };
}
