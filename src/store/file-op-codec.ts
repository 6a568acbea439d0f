import type { FileOp } from './file-op.ts';
import type { PackedOps } from './packed-ops.ts';

interface Row {
  readonly op: FileOp['op'];
  readonly paths: readonly string[];
  /** A number that an operation leaves out is NaN on the way. */
  readonly numbers: readonly string[];
}

const ROWS: readonly Row[] = [
  { op: 'write', paths: ['tmp', 'path'], numbers: ['at', 'length'] },
  { op: 'append', paths: ['stream'], numbers: ['at', 'length'] },
  { op: 'hole', paths: ['stream'], numbers: ['length'] },
  { op: 'copy', paths: ['stream', 'from'], numbers: ['length'] },
  { op: 'publish', paths: ['stream', 'path'], numbers: [] },
  { op: 'discard', paths: ['stream'], numbers: [] },
  { op: 'patch', paths: ['path'], numbers: ['at', 'length', 'offset', 'size'] },
  { op: 'patch-from', paths: ['path', 'from'], numbers: ['offset', 'size', 'fromOffset', 'length'] },
  { op: 'move', paths: ['from', 'path'], numbers: ['size'] },
  { op: 'unlink', paths: ['path'], numbers: [] },
];
const CODES = new Map(ROWS.map(({ op }, code) => [op, code]));
const MOST_NUMBERS = 1 + Math.max(...ROWS.map(({ numbers }) => numbers.length));

type Fields = Record<string, string | number | undefined>;

export function encodeOps(ops: readonly FileOp[]): PackedOps {
  const numbers = new Float64Array(ops.length * MOST_NUMBERS);
  let at = 0;
  let paths = '';
  for (const op of ops) {
    const code = CODES.get(op.op) as number;
    const row = ROWS[code] as Row;
    const fields = op as unknown as Fields;
    numbers[at++] = code;
    for (const name of row.paths) paths += `${fields[name]}\0`;
    for (const name of row.numbers) numbers[at++] = (fields[name] as number | undefined) ?? Number.NaN;
  }
  return { count: ops.length, paths, numbers };
}

export function decodeOps({ count, paths, numbers }: PackedOps): FileOp[] {
  const ops = new Array<FileOp>(count);
  let at = 0;
  let from = 0;
  for (let i = 0; i < count; i++) {
    const row = ROWS[numbers[at++] as number] as Row;
    const fields: Fields = { op: row.op };
    for (const name of row.paths) {
      const to = paths.indexOf('\0', from);
      fields[name] = paths.slice(from, to);
      from = to + 1;
    }
    for (const name of row.numbers) {
      const value = numbers[at++] as number;
      if (!Number.isNaN(value)) fields[name] = value;
    }
    ops[i] = fields as unknown as FileOp;
  }
  return ops;
}
