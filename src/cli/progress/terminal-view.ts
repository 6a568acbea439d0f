import type { Clock } from '../../base/clock.ts';
import { printable, type TerminalStream } from '../terminal.ts';
import { progressLines } from './progress-lines.ts';
import { advance, NO_PROGRESS, type ProgressState } from './progress-state.ts';
import type { ProgressView } from './view.ts';

/** Fewer than 10 redraws a second. */
const REDRAW_MS = 110;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** Redraws in place. Lines never reach the last column, so the terminal does not wrap and the count of lines holds. */
export function createTerminalView(stream: TerminalStream, clock: Clock): ProgressView {
  let state: ProgressState = NO_PROGRESS;
  let drawn = 0;
  let lastAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const clear = () => (drawn === 0 ? '' : `\u001b[${drawn}A\u001b[J`);
  const draw = (before = '') => {
    clearTimeout(timer);
    timer = undefined;
    lastAt = clock.monotonic();
    const lines = progressLines(state, stream.columns ?? DEFAULT_COLUMNS, stream.rows ?? DEFAULT_ROWS);
    // One write a frame: the terminal never shows a half-drawn one.
    stream.write(`${clear()}${before}${lines.map((line) => `${line}\n`).join('')}`);
    drawn = lines.length;
  };
  return {
    update: (progress) => {
      if (ended) return;
      if (progress.event === 'note') {
        draw(`${printable(progress.text)}\n`);
        return;
      }
      state = advance(state, progress, clock.monotonic());
      const wait = lastAt + REDRAW_MS - clock.monotonic();
      if (wait <= 0) draw();
      else timer ??= setTimeout(() => draw(), wait).unref();
    },
    end: () => {
      if (ended) return;
      ended = true;
      if (state !== NO_PROGRESS) draw();
      clearTimeout(timer);
    },
  };
}
