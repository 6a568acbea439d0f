import { Fault } from '../base/fault.ts';
import { parseReference, printFamiliar } from '../image/oci/reference.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { Store } from '../store/store.ts';
import { parseImageReference } from '../transfer/image-reference.ts';

/**
 * The image here that a reference names: CID of its root or published root, address, id prefix, name.
 * @throws Fault `not-found/unknown-image`, `invalid/ambiguous-id`, `invalid/ambiguous-name`, `invalid/bad-reference`
 */
export function findImage(store: Store, text: string): ImageRecord {
  const query = parseImageReference(text);
  switch (query.kind) {
    case 'cid': {
      const root = query.cid.toString();
      const found = [...store.images.all()].filter(
        (record) => record.root === root || record.publishedRoots.includes(root),
      );
      return only(found, text, 'id');
    }
    case 'id': {
      const byId = store.images.byId(query.prefix);
      if (byId.length > 1) throw ambiguousId(byId, text, query.prefix);
      return byId.length > 0 ? only(byId, text, 'id') : only(namedImages(store, text), text, 'name');
    }
    default:
      return only(namedImages(store, query.name), text, 'name');
  }
}

/** The newest holder of a name has it, as with a tag that moved. */
function namedImages(store: Store, name: string): ImageRecord[] {
  const found = store.images.byName(printFamiliar(parseReference(name)));
  return found.sort((a, b) => b.createdAt - a.createdAt).slice(0, 1);
}

/** As peers are told: the ids in full, since more of one is what has to be given. */
function ambiguousId(found: readonly ImageRecord[], text: string, prefix: string): Fault {
  const candidates = found.flatMap(({ names, manifests, indexDigest }) => {
    const digests = [...manifests.flatMap(({ imageId, digest }) => [imageId, digest]), indexDigest];
    const fitting = digests.find((digest) => digest?.startsWith(`sha256:${prefix}`));
    return fitting === undefined ? [] : [{ id: fitting, name: names[0] }];
  });
  const listed = candidates.map(({ id, name }) => (name === undefined ? id : `${id} (${name})`));
  return new Fault(
    'invalid',
    'ambiguous-id',
    `${text} is the beginning of several images here: ${listed.join(', ')}; give more of it`,
    { fields: { image: text, digests: candidates.map(({ id }) => id) } },
  );
}

function only(found: readonly ImageRecord[], text: string, by: 'id' | 'name'): ImageRecord {
  const [first, ...others] = found;
  if (first === undefined) {
    throw new Fault('not-found', 'unknown-image', `no image ${text} is here (dkr-shp ls shows what is)`, {
      fields: { image: text },
    });
  }
  if (others.length === 0) return first;
  const roots = found.map(({ root, names }) => `${root}${names[0] === undefined ? '' : ` (${names[0]})`}`);
  throw new Fault(
    'invalid',
    `ambiguous-${by}`,
    `${text} is several images here: ${roots.join(', ')}; give more of it`,
    {
      fields: { image: text, roots },
    },
  );
}
