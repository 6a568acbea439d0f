import type { TotalProgress } from '../../observe/progress.ts';
import { figureCount, figureSeconds, figureSize } from '../figures.ts';
import { printable } from '../terminal.ts';
import type { LayerState, ProgressState } from './progress-state.ts';

const BAR = 12;

/**
 * What a terminal shows at one moment: a line a layer, then the total. Pure.
 * @param columns no line is longer
 * @param rows at most so many lines: done and waiting layers give way to those that move
 */
export function progressLines(state: ProgressState, columns: number, rows: number): string[] {
  const layers = [...state.layers.values()].sort((a, b) => a.index - b.index);
  const room = Math.max(1, rows - 2);
  const shown = layers.length <= room ? layers : mostInteresting(layers, room - 1);
  const nameWidth = Math.min(24, Math.max(0, ...shown.map((layer) => layer.name.length)));
  const lines = shown.map((layer) => layerLine(layer, nameWidth, columns));
  if (shown.length < layers.length)
    lines.push(`… and ${figureCount(layers.length - shown.length, 'more layer')}`);
  if (state.total !== undefined) lines.push(totalLine(state.total));
  return lines.map((line) => (line.length >= columns ? line.slice(0, Math.max(0, columns - 1)) : line));
}

/** The total for people, the same on a terminal and in a log. */
export function totalLine(total: TotalProgress): string {
  const parts = [
    `total ${figureSize(total.bytes)}${total.total === undefined ? '' : ` of ${figureSize(total.total)}`}`,
    `${figureSize(total.here)} already here`,
    `${figureSize(total.rate)}/s`,
  ];
  if (total.peers > 0) parts.push(figureCount(total.peers, 'peer'));
  if (total.eta !== undefined && total.bytes !== total.total) parts.push(`${figureSeconds(total.eta)} to go`);
  return parts.join(', ');
}

/** The bar is what goes where the terminal is narrow. */
function layerLine(layer: LayerState, nameWidth: number, columns: number): string {
  const { total, bytes } = layer;
  const parts = [printable(layer.name).slice(0, 24).padEnd(nameWidth), layer.phase.padEnd(9)];
  const rest = figures(layer);
  if (total === undefined) return [...parts, ...rest].join('  ').trimEnd();
  const line = [...parts, bar(total === 0 ? 1 : bytes / total), ...rest].join('  ');
  return line.length < columns ? line : [...parts, ...rest].join('  ');
}

function figures({ phase, bytes, total, here, rate }: LayerState): string[] {
  const parts: string[] = [];
  if (phase !== 'waiting') parts.push(figureSize(bytes).padStart(8));
  if (phase === 'done') return here > 0 ? [...parts, `(${figureSize(here)} already here)`] : parts;
  if (total !== undefined) parts.push(`of ${figureSize(total)}`);
  if (rate === 0) return parts;
  parts.push(`${figureSize(rate)}/s`);
  if (total !== undefined) parts.push(figureSeconds((total - bytes) / rate));
  return parts;
}

function bar(part: number): string {
  const full = Math.round(Math.min(1, Math.max(0, part)) * BAR);
  return `[${'='.repeat(full)}${' '.repeat(BAR - full)}]`;
}

const INTEREST = { fetching: 0, reading: 0, verifying: 1, waiting: 2, done: 3 } as const;

function mostInteresting(layers: readonly LayerState[], count: number): LayerState[] {
  return [...layers]
    .sort((a, b) => INTEREST[a.phase] - INTEREST[b.phase] || a.index - b.index)
    .slice(0, Math.max(0, count))
    .sort((a, b) => a.index - b.index);
}
