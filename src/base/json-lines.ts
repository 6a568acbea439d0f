/** The longest line that is said or taken on a unix socket between processes of ours, its end included. */
export const MAX_JSON_LINE = 2 ** 20;

/** Splits a byte stream into lines. */
export interface JsonLineSplitter {
  /**
   * The values of the lines that end in `chunk`; empty lines are skipped.
   * @throws Fault `invalid/line-too-long`, `invalid/bad-json-line`; the stream is of no use after that
   */
  push(chunk: Uint8Array): unknown[];
}

export function createJsonLineSplitter(limit: number = MAX_JSON_LINE): JsonLineSplitter {
  throw new Error(`${limit}`);
}

/** @throws Fault `invalid/line-too-long` */
export function encodeJsonLine(value: unknown, limit: number = MAX_JSON_LINE): Buffer {
  throw new Error(`${value} ${limit}`);
}
