import { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import { decodeLayerIndex } from '../../image/layer/index-codec.ts';
import type { Store } from '../../store/store.ts';
import { draftOfPinned } from './lazy-draft.ts';
import type { WantedLeaves } from './lazy-images.ts';

/**
 * What a read of an image that is whole is answered: the image became so while the read was on its way.
 * @throws Fault `not-found/unknown-image`, `not-found/no-object` where the object was damaged and taken out of use
 */
export async function readPinned(
  store: Store,
  { key, layer, object, path }: WantedLeaves,
): Promise<{ readonly complete: boolean }> {
  const text = draftOfPinned(store, key)?.memo.indexes[layer];
  if (text === undefined) {
    throw new Fault('not-found', 'unknown-image', `no image with the manifest root ${key} is here`, {
      fields: { image: key, file: path },
    });
  }
  const cid = CID.parse(text);
  const index = decodeLayerIndex(await store.objects.read(cid, 0, store.objects.info(cid)?.size ?? 0));
  if (object < index.objectCount && (await store.objects.readable(index.objectCid(object)))) {
    return { complete: true };
  }
  throw new Fault(
    'not-found',
    'no-object',
    `${path}: its content is not here any more: pull the image again`,
    {
      fields: { image: key, file: path },
    },
  );
}
