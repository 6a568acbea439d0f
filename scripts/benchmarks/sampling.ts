import { type Interval, median, medianInterval } from './statistics.ts';
import { judge, type Target, type Verdict } from './target.ts';

export interface SamplingSettings {
  /** At least this many; 7 unless told. */
  readonly least: number;
  /** Where the target stays undecided no more than this many are taken. */
  readonly most: number;
  readonly onSample?: (taken: number, sample: string) => void;
}

export interface Sampled {
  readonly samples: readonly number[];
  readonly median: number;
  readonly interval: Interval;
  /** Absent where there was no target. */
  readonly verdict?: Verdict;
}

/** Takes samples until the target is decided, within the settings' bounds. */
export async function sample(
  take: () => Promise<number>,
  target: Target | undefined,
  settings: SamplingSettings,
): Promise<Sampled> {
  const samples: number[] = [];
  for (;;) {
    const value = await take();
    samples.push(value);
    settings.onSample?.(samples.length, value.toPrecision(4));
    if (samples.length < settings.least) continue;
    const interval = medianInterval(samples);
    const verdict = target === undefined ? undefined : judge(interval, target);
    if (verdict === 'undecided' && samples.length < settings.most) continue;
    return { samples, median: median(samples), interval, ...(verdict === undefined ? {} : { verdict }) };
  }
}

export interface Pairs extends Sampled {
  /** Medians of each side, in the side's unit. */
  readonly a: number;
  readonly b: number;
}

/**
 * Two ways to do one thing in turn, A B, then B A, so that neither always finds the machine as the other left it. The
 * samples are the ratios a / b of each pair, and the target applies to their median.
 */
export async function runPairs(
  a: () => Promise<number>,
  b: () => Promise<number>,
  target: Target,
  settings: SamplingSettings,
): Promise<Pairs> {
  const [as, bs]: [number[], number[]] = [[], []];
  const ratios = await sample(
    async () => {
      const first = as.length % 2 === 0;
      if (first) as.push(await a());
      bs.push(await b());
      if (!first) as.push(await a());
      return (as.at(-1) as number) / (bs.at(-1) as number);
    },
    target,
    settings,
  );
  return { ...ratios, a: median(as), b: median(bs) };
}
