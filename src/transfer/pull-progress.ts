import type { LayerReport, ProgressReporter } from './progress-reporter.ts';
import type { PullTargets } from './pull-targets.ts';

/** Counts a pull's blocks into the layers in which they come first. */
export interface PullProgress {
  /** Bytes of all blocks, and of those that were here at the start. */
  readonly bytes: number;
  readonly here: number;
  fetched(index: number, bytes: number): void;
  network(wireBytes: number, peers: number): void;
  verifying(part: number): void;
  verified(part: number): void;
  end(): void;
}

interface Part {
  readonly report: LayerReport;
  readonly total: number;
  readonly here: number;
  done: number;
  verified: boolean;
}

export function createPullProgress(
  reporter: ProgressReporter,
  names: readonly string[],
  targets: PullTargets,
): PullProgress {
  const { plan, partStarts } = targets;
  const parts = names.map((name, number): Part => {
    let total = 0;
    let here = 0;
    for (let index = partStarts[number] as number; index < (partStarts[number + 1] as number); index++) {
      const size = plan.sizes[index] as number;
      total += size;
      if (targets.has(index)) here += size;
    }
    const report = reporter.layer(name, total);
    report.update(here === total ? 'done' : 'waiting', here, here);
    return { report, total, here, done: here, verified: false };
  });
  const bytes = parts.reduce((sum, { total }) => sum + total, 0);
  const here = parts.reduce((sum, part) => sum + part.here, 0);
  let fetched = 0;
  let moved = 0;
  let peerCount = 0;

  const reportTotal = (): void =>
    reporter.total(here + fetched, here, moved, { total: bytes, peers: peerCount });

  return {
    bytes,
    here,
    fetched(index, length) {
      const part = parts[targets.partOf(index)] as Part;
      part.done += length;
      fetched += length;
      part.report.update(part.done === part.total ? 'verifying' : 'fetching', part.done, part.here);
      reportTotal();
    },
    network(wireBytes, peers) {
      moved = wireBytes;
      peerCount = peers;
      reportTotal();
    },
    verifying(number) {
      const part = parts[number] as Part;
      if (part.done === part.total) part.report.update('verifying', part.done, part.here);
    },
    verified(number) {
      const part = parts[number] as Part;
      part.verified = true;
      part.report.update('done', part.total, part.here);
    },
    end() {
      for (const part of parts) if (!part.verified) part.report.update('done', part.total, part.here);
      reportTotal();
      reporter.settle();
    },
  };
}
