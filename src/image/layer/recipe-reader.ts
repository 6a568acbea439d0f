import { Fault } from '../../base/fault.ts';
import type { LayerIndex } from './layer-index.ts';

/** The next bytes of the tar: as they are, or a range of an object. */
export type RecipePiece =
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }
  | { readonly kind: 'object'; readonly object: number; readonly offset: number; readonly length: number };

export interface RecipeLimits {
  /** Bytes of the tar that the recipe may make. */
  readonly tarBytes: number;
}

/** 1 TiB, as the largest object. */
export const DEFAULT_RECIPE_LIMITS: RecipeLimits = { tarBytes: 2 ** 40 };

/**
 * Reads a recipe piece by piece; literals are views into the source's chunks.
 * @throws Fault `corrupt/bad-recipe`, `unsupported/recipe-version`, `invalid/tar-too-big`
 */
export function readRecipe(
  _source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  _index: LayerIndex,
  _limits: RecipeLimits = DEFAULT_RECIPE_LIMITS,
): AsyncIterable<RecipePiece> {
  throw new Fault('internal', 'unfinished', 'readRecipe');
}
