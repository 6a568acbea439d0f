import { type Digest, digestOfBytes } from '../base/digest.ts';
import { Fault } from '../base/fault.ts';
import type { PulledImage } from './pulled-manifest.ts';

/**
 * A peer proves an id by bytes that hash to it, and names a root; that the root holds them is its word alone. So the
 * image that came must have the id that was asked for.
 * @throws Fault `corrupt/wrong-image`
 */
export function checkClaimedDigest(image: PulledImage, claimed: Digest | undefined): void {
  if (claimed === undefined) return;
  const own = image.manifests.flatMap(({ digest, imageId }) => [digest, imageId]);
  if (image.index !== undefined) own.push(digestOfBytes(image.index));
  if (own.includes(claimed)) return;
  throw new Fault(
    'corrupt',
    'wrong-image',
    `the image that came is ${own.join(', ')}, not ${claimed}: whoever named it lied, or --platform asks for another one`,
    { fields: { claimed, found: own } },
  );
}
