import type { Catalogue, CatalogueImage } from '../catalogue/catalogue.ts';
import { nameForms } from './image-name.ts';
import type { PeerAnswer } from './peer-answer.ts';

/**
 * What the kept catalogues of trusted stations say of a name: they may be away while others have the image.
 * @param peers trusted ones, in their order
 */
export function answersFromCatalogues(
  name: string,
  peers: readonly string[],
  get: (peer: string) => Catalogue | undefined,
): PeerAnswer[] {
  const forms = nameForms(name);
  const path = forms[0]?.split('/') ?? [];
  return peers.flatMap((peer) => {
    const named = (get(peer)?.images ?? []).filter(({ names }) => forms.some((form) => names.includes(form)));
    const newest = named.sort((a, b) => b.createdAt - a.createdAt)[0];
    const digest = newest && mainDigest(newest);
    if (newest === undefined || digest === undefined) return [];
    const { root, names, keptBlobs } = newest;
    return [{ peer, answer: { digest, root, path, names, keptBlobs } }];
  });
}

function mainDigest({ manifests, indexDigest }: CatalogueImage): CatalogueImage['indexDigest'] {
  const [first, second] = manifests;
  return second === undefined ? first?.imageId : indexDigest;
}
