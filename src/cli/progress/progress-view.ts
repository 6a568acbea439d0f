import type { Clock } from '../../base/clock.ts';
import type { TerminalStream } from '../terminal.ts';
import { createJsonView } from './json-view.ts';
import { createPlainView } from './plain-view.ts';
import { createTerminalView } from './terminal-view.ts';
import type { ProgressView } from './view.ts';

/** In place on a terminal, plain lines elsewhere, events as they come under `--json`. */
export function createProgressView(stream: TerminalStream, json: boolean, clock: Clock): ProgressView {
  if (json) return createJsonView(stream);
  return stream.isTTY === true ? createTerminalView(stream, clock) : createPlainView(stream, clock);
}
