import type { Pairs, Sampled } from './sampling.ts';
import type { Interval } from './statistics.ts';
import { type Target, targetText, type Verdict } from './target.ts';

/** One line of results. */
export interface Figure {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** What the other side of a pair is, and its value in the same unit. */
  readonly against?: string;
  readonly againstValue?: number;
  /** Median of the pairs' ratios. */
  readonly ratio?: number;
  /** 90 %, of the ratio where there is one, else of the value. */
  readonly interval?: Interval;
  readonly target?: string;
  readonly met?: Verdict;
  readonly samples?: number;
}

/** A figure that is a ratio of two ways. */
export function pairFigure(
  metric: string,
  unit: string,
  against: string,
  pairs: Pairs,
  target: Target,
): Figure {
  return {
    metric,
    value: pairs.a,
    unit,
    against,
    againstValue: pairs.b,
    ratio: pairs.median,
    interval: pairs.interval,
    target: `ratio ${targetText(target)}`,
    ...(pairs.verdict === undefined ? {} : { met: pairs.verdict }),
    samples: pairs.samples.length,
  };
}

/** A figure that stands for itself. */
export function sampledFigure(metric: string, unit: string, sampled: Sampled, target?: Target): Figure {
  return {
    metric,
    value: sampled.median,
    unit,
    interval: sampled.interval,
    ...(target === undefined ? {} : { target: targetText(target) }),
    ...(sampled.verdict === undefined ? {} : { met: sampled.verdict }),
    samples: sampled.samples.length,
  };
}

/** One measurement, or a count that does not vary. */
export function plainFigure(metric: string, value: number, unit: string, target?: Target): Figure {
  if (target === undefined) return { metric, value, unit };
  const good = target.atMost !== undefined ? value <= target.atMost : value >= target.atLeast;
  return { metric, value, unit, target: targetText(target), met: good ? 'met' : 'missed' };
}

const digits = (value: number) =>
  Math.abs(value) >= 100
    ? value.toFixed(0)
    : value
        .toPrecision(3)
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');

export function figureText(figure: Figure): string {
  const parts = [`${figure.metric}: ${digits(figure.value)} ${figure.unit}`];
  if (figure.ratio !== undefined) {
    parts.push(
      `${digits(figure.ratio)}x of ${figure.against} (${digits(figure.againstValue ?? 0)} ${figure.unit})`,
    );
  }
  if (figure.interval !== undefined) parts.push(`[${figure.interval.map(digits).join(', ')}]`);
  if (figure.target !== undefined) parts.push(`target ${figure.target}: ${figure.met ?? 'no verdict'}`);
  if (figure.samples !== undefined) parts.push(`n=${figure.samples}`);
  return parts.join('  ');
}

/** A row of docs/benchmarks.md. */
export function figureRow(figure: Figure): string {
  const against =
    figure.against === undefined
      ? ''
      : `${figure.against}: ${digits(figure.againstValue ?? 0)} ${figure.unit}`;
  const interval = figure.interval === undefined ? '' : figure.interval.map(digits).join(' to ');
  const cells = [
    figure.metric,
    `${digits(figure.value)} ${figure.unit}`,
    against,
    figure.ratio === undefined ? '' : digits(figure.ratio),
    interval,
    figure.samples ?? '',
    figure.target ?? '',
    figure.met ?? '',
  ];
  return `| ${cells.join(' | ')} |`;
}
