import type { Clock } from '../../base/clock.ts';
import type { LayerPhase, LayerProgress, TotalProgress } from '../../observe/progress.ts';
import { figureSize } from '../figures.ts';
import { printable, type TerminalStream } from '../terminal.ts';
import { totalLine } from './progress-lines.ts';
import type { ProgressView } from './view.ts';

/** How often the total is printed while layers go on. */
const EVERY_MS = 5000;

/** For logs and pipes: a line when a layer's phase changes, the total every 5 s and at the end. */
export function createPlainView(stream: TerminalStream, clock: Clock): ProgressView {
  const phases = new Map<number, LayerPhase>();
  let total: TotalProgress | undefined;
  let printed: TotalProgress | undefined;
  let lastAt = clock.monotonic();
  const printTotal = () => {
    if (total === undefined || total === printed) return;
    printed = total;
    lastAt = clock.monotonic();
    stream.write(`${totalLine(total)}\n`);
  };
  const layerChanged = (layer: LayerProgress) => {
    if (phases.get(layer.index) === layer.phase) return;
    phases.set(layer.index, layer.phase);
    // Of 100 layers that wait for their turn nobody needs 100 lines.
    if (layer.phase !== 'waiting') stream.write(`${phaseLine(layer)}\n`);
  };
  let ended = false;
  return {
    update: (progress) => {
      if (ended) return;
      if (progress.event === 'note') stream.write(`${printable(progress.text)}\n`);
      else if (progress.event === 'layer') layerChanged(progress);
      else total = progress;
      if (clock.monotonic() - lastAt >= EVERY_MS) printTotal();
    },
    end: () => {
      if (ended) return;
      ended = true;
      printTotal();
    },
  };
}

function phaseLine(layer: LayerProgress): string {
  const size = layer.phase === 'done' ? layer.bytes : layer.total;
  const parts = [`layer ${layer.index} ${printable(layer.name).slice(0, 64)}: ${layer.phase}`];
  if (size !== undefined) parts.push(figureSize(size));
  if (layer.phase === 'done' && layer.here > 0) parts.push(`(${figureSize(layer.here)} already here)`);
  return parts.join(' ');
}
