import { CidMarks } from './cid-marks.ts';

/**
 * What images that are being pinned name, kept for a sweep that runs meanwhile: its own walk began before their
 * records were there.
 */
export interface PinMarks {
  /** Marks of a pin that begins. */
  begin(): CidMarks;
  /** The pin is recorded, or failed. */
  end(marks: CidMarks): void;
  /** From here to `sweepOver` what pins marked stays. */
  sweepBegins(): void;
  sweepOver(): void;
  has(digest: Uint8Array): boolean;
  /** A sweep runs: what is named now it may not have marked. */
  readonly sweeping: boolean;
}

export function createPinMarks(): PinMarks {
  const kept = new Set<CidMarks>();
  const ended = new Set<CidMarks>();
  let sweeping = false;
  return {
    get sweeping() {
      return sweeping;
    },
    begin() {
      const marks = new CidMarks();
      kept.add(marks);
      return marks;
    },
    end(marks) {
      if (sweeping) ended.add(marks);
      else kept.delete(marks);
    },
    sweepBegins() {
      sweeping = true;
    },
    sweepOver() {
      sweeping = false;
      for (const marks of ended) kept.delete(marks);
      ended.clear();
    },
    has(digest) {
      for (const marks of kept) if (marks.has(digest)) return true;
      return false;
    },
  };
}
