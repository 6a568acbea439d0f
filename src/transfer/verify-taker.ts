import { Fault } from '../base/fault.ts';
import type { DraftObject } from '../image/layer/layer-draft.ts';
import type { ContentTaker } from './content-taker.ts';

export interface VerifyTaker extends ContentTaker {
  /** The bytes pushed into the tar reader from now on come from this place of an object whose blocks were checked. */
  fromObject(object: DraftObject, offset: number): void;
  /** The bytes from now on stand in the recipe itself. */
  fromRecipe(): void;
}

/**
 * Names each file's object anew while a tar is rebuilt. Content that comes whole and in place from one object is not
 * hashed a second time: its blocks were checked against that object's CID when they came. Everything else goes
 * through `other`, which hashes it (and keeps it for the recipe, where it is content of a replaced entry). A recipe
 * that takes content from elsewhere than where the importer would take it is refused: no import makes it.
 */
export function createVerifyTaker(other: ContentTaker): VerifyTaker {
  let source: { readonly object: DraftObject; offset: number } | undefined;
  let whole: DraftObject | undefined;
  let othersFile = false;
  let size = 0;

  return {
    fromObject(object, offset) {
      source = { object, offset };
    },
    fromRecipe() {
      source = undefined;
    },
    begin(expected) {
      whole = undefined;
      othersFile = false;
      size = expected;
    },
    data(offset, bytes) {
      if (source === undefined) {
        if (whole !== undefined) throw strayContent();
        if (!othersFile) other.begin(size);
        othersFile = true;
        other.data(offset, bytes);
        return;
      }
      const { object } = source;
      const inPlace = object.size === size && source.offset === offset && !othersFile;
      if (!inPlace || (whole !== undefined && !sameObject(whole, object))) throw strayContent();
      whole = object;
      source.offset += bytes.length;
    },
    end() {
      if (whole !== undefined) return whole;
      if (!othersFile) other.begin(size);
      othersFile = false;
      return other.end();
    },
    abort() {
      if (othersFile) other.abort();
      othersFile = false;
    },
  };
}

function sameObject(a: DraftObject, b: DraftObject): boolean {
  return Buffer.compare(a.hash, b.hash) === 0;
}

function strayContent(): Fault {
  return new Fault(
    'corrupt',
    'bad-recipe',
    "the layer's tar recipe takes a file's content from a wrong place",
  );
}
