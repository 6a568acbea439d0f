import { Fault } from '../base/fault.ts';
import { createLayerDraft } from '../image/layer/layer-draft.ts';
import type { LayerEntries } from '../image/layer/layer-entries.ts';
import { createRecipeDraft, type RecipeDraft } from '../image/layer/recipe-draft.ts';
import type { SparseFragment, TarEntry, TarSink } from '../image/tar/tar-entry.ts';
import type { ContentTaker } from './content-taker.ts';
import type { TransferLimits } from './transfer-limits.ts';

export interface AssembledLayer {
  readonly entries: LayerEntries;
  readonly recipe: RecipeDraft;
}

/** What a tar reader feeds: the entries go into the draft, literals into the recipe, content to the taker. */
export interface LayerAssembly extends TarSink {
  /** The whole tar was read. */
  finish(): AssembledLayer;
  /** Gives up the file that was begun, if any. */
  abort(): void;
}

export function createLayerAssembly(taker: ContentTaker, limits: TransferLimits): LayerAssembly {
  const draft = createLayerDraft(limits.layer);
  const recipe = createRecipeDraft();
  let file: TarEntry | undefined;
  let fragments: readonly SparseFragment[] = [];
  let fragment = 0;
  let within = 0;
  let contentBytes = 0;

  return {
    literal(bytes) {
      recipe.literal(bytes);
    },
    entry(entry) {
      if (entry.type !== 'file') {
        draft.add(entry);
        return;
      }
      // sparse files are long without a long tar: a thousand headers would be a thousand lists of leaves
      contentBytes += entry.size;
      if (contentBytes > limits.layerSize) throw layerTooBig(limits);
      file = keep(entry);
      fragments = entry.sparse ?? [{ offset: 0, length: entry.size }];
      fragment = 0;
      within = 0;
      taker.begin(entry.size);
    },
    content(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const { offset, length } = fragments[fragment] as SparseFragment;
        const piece = bytes.subarray(at, at + length - within);
        if (piece.length > 0) taker.data(offset + within, piece);
        at += piece.length;
        within += piece.length;
        if (within === length) {
          fragment++;
          within = 0;
        }
      }
    },
    entryEnd() {
      if (file === undefined) return;
      const object = taker.end();
      for (const { offset, length } of fragments) {
        if (length > 0) recipe.content(object.hash, offset, length);
      }
      draft.add(file, object);
      file = undefined;
    },
    finish() {
      return { entries: draft.finish(), recipe };
    },
    abort() {
      taker.abort();
    },
  };
}

/** A tar entry's arrays are views that live as long as the call; a file's must live until its content is in. */
function keep(entry: TarEntry): TarEntry {
  return {
    ...entry,
    path: entry.path.slice(),
    linkPath: entry.linkPath.slice(),
    xattrs: entry.xattrs.map(({ name, value }) => ({ name: name.slice(), value: value.slice() })),
  };
}

export function layerTooBig({ layerSize }: TransferLimits): Fault {
  return new Fault(
    'invalid',
    'layer-too-big',
    `the layer is larger than ${layerSize} bytes (limits.layerSize)`,
    {
      fields: { limit: layerSize },
    },
  );
}
