/**
 * Operations as one text and one array of numbers: a structured clone walks each of 256 small objects on both sides, where
 * a string and a transferred array are two values.
 */
export interface PackedOps {
  readonly count: number;
  /** The operations' paths in order, each ended by NUL, which no path holds. */
  readonly paths: string;
  /** For each operation its row in the codec's table, then its numbers. */
  readonly numbers: Float64Array<ArrayBuffer>;
}
