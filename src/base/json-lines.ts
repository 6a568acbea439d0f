import { Fault } from './fault.ts';

/** The longest line that is said or taken on a unix socket between processes of ours, without its end. */
export const MAX_JSON_LINE = 2 ** 20;

const NEWLINE = 10;

/** Splits a byte stream into JSON documents, one a line. */
export interface JsonLineSplitter {
  /**
   * The values of the lines that end in `chunk`, as they are parsed: what stands before a bad line is given first. Empty
   * lines are skipped. At most one line is held, and its bytes are copied.
   * @throws Fault `invalid/line-too-long`, `invalid/bad-json-line`; the stream is of no use after that
   */
  push(chunk: Uint8Array): Generator<unknown, void>;
}

export function createJsonLineSplitter(limit: number = MAX_JSON_LINE): JsonLineSplitter {
  let pieces: Buffer[] = [];
  let held = 0;

  function hold(bytes: Uint8Array): void {
    held += bytes.length;
    if (held > limit) throw tooLong(limit);
    if (bytes.length > 0) pieces.push(Buffer.from(bytes));
  }

  return {
    *push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        hold(chunk.subarray(start, end));
        const line = Buffer.concat(pieces, held).toString('utf8');
        pieces = [];
        held = 0;
        start = end + 1;
        if (line !== '') yield parseLine(line);
      }
      hold(chunk.subarray(start));
    },
  };
}

/** @throws Fault `invalid/line-too-long`: what is said is bounded like what is taken */
export function encodeJsonLine(value: unknown, limit: number = MAX_JSON_LINE): Buffer {
  const line = Buffer.from(`${JSON.stringify(value)}\n`);
  if (line.length > limit + 1) throw tooLong(limit);
  return line;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Fault('invalid', 'bad-json-line', `not a line of JSON: ${JSON.stringify(line.slice(0, 80))}`);
  }
}

function tooLong(limit: number): Fault {
  return new Fault('invalid', 'line-too-long', `a line is longer than ${limit} bytes`, { fields: { limit } });
}
