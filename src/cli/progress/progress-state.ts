import type { LayerPhase, LayerProgress, Progress, TotalProgress } from '../../observe/progress.ts';

/** Time over which a layer's rate is averaged. */
const RATE_WINDOW_MS = 2000;
/** A shorter time says little: what arrives in it may have waited in a buffer. */
const LEAST_SAMPLE_MS = 200;
/** More layers than a manifest may have are not shown. */
const MAX_LAYERS = 4096;

export interface LayerState {
  readonly index: number;
  readonly name: string;
  readonly phase: LayerPhase;
  readonly bytes: number;
  readonly total?: number;
  readonly here: number;
  /** Bytes a second, decayed; 0 while nothing is known. */
  readonly rate: number;
  /** When `rate` was last brought up to date, and the bytes that had been moved until then. */
  readonly ratedAt: number;
  readonly ratedBytes: number;
}

/** What is known of an operation, for the views to draw. */
export interface ProgressState {
  /** By index; with holes where a layer has not reported. */
  readonly layers: ReadonlyMap<number, LayerState>;
  readonly total?: TotalProgress;
}

export const NO_PROGRESS: ProgressState = { layers: new Map() };

/** @param now milliseconds, monotonic */
export function advance(state: ProgressState, progress: Progress, now: number): ProgressState {
  if (progress.event === 'total') return { ...state, total: progress };
  if (progress.event !== 'layer' || (state.layers.size >= MAX_LAYERS && !state.layers.has(progress.index))) {
    return state;
  }
  const layers = new Map(state.layers);
  layers.set(progress.index, advanceLayer(state.layers.get(progress.index), progress, now));
  return { ...state, layers };
}

function advanceLayer(before: LayerState | undefined, progress: LayerProgress, now: number): LayerState {
  const { index, name, phase, bytes, total, here } = progress;
  const known = { index, name, phase, bytes, here, ...(total === undefined ? {} : { total }) };
  // What was here already says nothing about how fast the rest comes.
  const moved = bytes - here;
  if (before === undefined || before.phase !== phase) {
    return { ...known, rate: 0, ratedAt: now, ratedBytes: moved };
  }
  const { rate, ratedAt, ratedBytes } = before;
  const elapsed = now - ratedAt;
  if (elapsed < LEAST_SAMPLE_MS) return { ...known, rate, ratedAt, ratedBytes };
  const sample = (Math.max(0, moved - ratedBytes) * 1000) / elapsed;
  const weight = rate === 0 ? 1 : 1 - Math.exp(-elapsed / RATE_WINDOW_MS);
  return { ...known, rate: rate + (sample - rate) * weight, ratedAt: now, ratedBytes: moved };
}
