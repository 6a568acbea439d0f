import { type FieldValues, readStruct, writeStruct } from './layout.ts';
import { type Operation, operationOf } from './operations.ts';
import { IN_HEADER } from './request-layouts.ts';

/** A whole request as values: for dumps and tests. The session reads frames in place. */
export interface RequestFrame {
  readonly header: FieldValues;
  /** Absent where the opcode is unknown. */
  readonly operation?: Operation;
  readonly body: FieldValues;
  readonly names: readonly Uint8Array[];
  /** What follows the names: data of a WRITE, the value of a SETXATTR, the nodes of a BATCH_FORGET. */
  readonly rest: Uint8Array;
}

/** @throws RangeError where the frame is shorter than its operation's body, or a name has no end */
export function decodeRequest(frame: Uint8Array): RequestFrame {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const header = readStruct(IN_HEADER, view);
  const row = operationOf(Number(header['opcode']));
  if (row === undefined) return { header, body: {}, names: [], rest: frame.subarray(IN_HEADER.size) };
  const body = readStruct(row.body, view, IN_HEADER.size);
  const names: Uint8Array[] = [];
  let at = IN_HEADER.size + row.body.size;
  for (let n = 0; n < row.names; n++) {
    const end = frame.indexOf(0, at);
    if (end < 0) throw new RangeError(`${row.name}: a name without an end`);
    names.push(frame.subarray(at, end));
    at = end + 1;
  }
  return { header, operation: row, body, names, rest: frame.subarray(at) };
}

/** The reverse; `length` and `opcode` of the header are set here. Names must hold no NUL. */
export function encodeRequest(
  row: Operation,
  header: FieldValues,
  body: FieldValues = {},
  names: readonly Uint8Array[] = [],
  rest: Uint8Array = new Uint8Array(),
): Uint8Array {
  const texts = names.reduce((sum, name) => sum + name.length + 1, 0);
  const frame = new Uint8Array(IN_HEADER.size + row.body.size + texts + rest.length);
  const view = new DataView(frame.buffer);
  writeStruct(IN_HEADER, { ...header, length: frame.length, opcode: row.opcode }, view);
  writeStruct(row.body, body, view, IN_HEADER.size);
  let at = IN_HEADER.size + row.body.size;
  for (const name of names) {
    frame.set(name, at);
    at += name.length + 1;
  }
  frame.set(rest, at);
  return frame;
}
