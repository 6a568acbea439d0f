import { Fault } from '../../base/fault.ts';
import { varintLength, writeVarint } from '../../base/varint.ts';
import type { LayerEntries } from './layer-entries.ts';
import type { DraftPiece, RecipeDraft } from './recipe-draft.ts';
import { RECIPE_MAGIC, RECIPE_VERSION } from './recipe-format.ts';

/**
 * Reads content of an object that the index does not hold; what it yields is used before the next step is asked for.
 * @param hash 32 bytes: sha2-256 of the object's UnixFS root
 */
export type ReadDropped = (hash: Uint8Array, offset: number, length: number) => AsyncIterable<Uint8Array>;

/** Pieces are handed out about this big: many ops and headers a step, not one. */
const OUTPUT_PIECE = 64 * 1024;

type Run =
  | { readonly kind: 'bytes'; length: number; readonly parts: DraftPiece[] }
  | { readonly kind: 'object'; readonly object: number; readonly offset: number; readonly length: number };

/** Content of dropped objects joins the literals beside it, so that runs are as long as they can be. */
function* runs(draft: RecipeDraft, entries: LayerEntries): Iterable<Run> {
  let open: Extract<Run, { kind: 'bytes' }> | undefined;
  for (const piece of draft.pieces()) {
    const object = piece.kind === 'content' ? entries.objectNumber(piece.hash) : -1;
    if (piece.kind === 'literal' || object < 0) {
      open ??= { kind: 'bytes', length: 0, parts: [] };
      open.parts.push(piece);
      open.length += piece.length;
      continue;
    }
    if (open !== undefined) yield open;
    open = undefined;
    yield { kind: 'object', object, offset: piece.offset, length: piece.length };
  }
  if (open !== undefined) yield open;
}

/** Takes a given number of bytes at a time from the draft's literals. */
function literalReader(draft: RecipeDraft): (length: number) => Iterable<Uint8Array> {
  const source = draft.literals()[Symbol.iterator]();
  let rest: Uint8Array = new Uint8Array(0);
  return function* take(length) {
    for (let left = length; left > 0; ) {
      if (rest.length === 0) rest = source.next().value as Uint8Array;
      const part = rest.subarray(0, left);
      rest = rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  };
}

function varints(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + varintLength(value), 0));
  values.reduce((at, value) => writeVarint(bytes, at, value), 0);
  return bytes;
}

async function* recipeParts(
  draft: RecipeDraft,
  entries: LayerEntries,
  readDropped: ReadDropped,
): AsyncIterable<Uint8Array> {
  const literals = literalReader(draft);
  yield RECIPE_MAGIC;
  yield varints(RECIPE_VERSION, draft.tarSize);
  for (const run of runs(draft, entries)) {
    if (run.kind === 'object') {
      const whole = run.offset === 0 && run.length === entries.objectSize(run.object);
      yield whole ? varints(run.object * 4 + 1) : varints(run.object * 4 + 3, run.offset, run.length);
      continue;
    }
    yield varints(run.length * 2);
    for (const part of run.parts) {
      if (part.kind === 'literal') yield* literals(part.length);
      else yield* exactly(part.length, readDropped(part.hash, part.offset, part.length));
    }
  }
}

async function* exactly(length: number, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let got = 0;
  for await (const bytes of source) {
    got += bytes.length;
    if (got > length) break;
    yield bytes;
  }
  if (got !== length) {
    throw new Fault(
      'internal',
      'short-content',
      `${got} bytes of replaced content were read, not ${length}`,
      {
        fields: { got, length },
      },
    );
  }
}

/**
 * The recipe's bytes, in pieces of at least 64 KiB but the last; each is the caller's. Every byte of the tar is in
 * it but the content of kept objects; what a later entry replaced or a whiteout carried is read back and put in.
 * @throws Fault `internal/short-content` when `readDropped` gives another number of bytes
 */
export async function* encodeRecipe(
  draft: RecipeDraft,
  entries: LayerEntries,
  readDropped: ReadDropped,
): AsyncIterable<Uint8Array> {
  let open: Uint8Array[] = [];
  let size = 0;
  for await (const part of recipeParts(draft, entries, readDropped)) {
    open.push(new Uint8Array(part));
    size += part.length;
    if (size < OUTPUT_PIECE) continue;
    yield Buffer.concat(open);
    open = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(open);
}
