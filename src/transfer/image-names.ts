import { type Digest, digestHex } from '../base/digest.ts';
import type { DagLink } from '../image/dag/dag-block.ts';
import type { PublishedName } from '../image/dag/image-roots.ts';
import { hasRegistryHost, parseReference, publishedNames } from '../image/oci/reference.ts';

/** Digits of an id as a published root lists it, and as engines print it. */
export const ID_DIGITS = 12;

/** How a push was asked for. */
export interface PushArgument {
  readonly text: string;
  readonly by: 'id' | 'name' | 'file';
}

/**
 * Names that are published. On the public network a name with a registry host tells where a company keeps its images,
 * so it is left out unless it was asked for.
 */
export function namesToPublish(
  names: readonly string[],
  argument: PushArgument,
  network: 'public' | 'private',
): readonly string[] {
  const wellFormed = [...names, ...(argument.by === 'name' ? [argument.text] : [])].filter(isName);
  const listed = publishedNames(wellFormed);
  if (network === 'private') return listed;
  const asked = new Set(
    argument.by === 'name' && isName(argument.text) ? publishedNames([argument.text]) : [],
  );
  return listed.filter((name) => asked.has(name) || !hasRegistryHost(parseReference(name)));
}

/** What a published root lists: 12 digits of each id, and the names. All lead to the one image root. */
export function publishedEntries(
  ids: readonly Digest[],
  names: readonly string[],
  root: DagLink,
): PublishedName[] {
  const short = new Set(ids.map((id) => digestHex(id).slice(0, ID_DIGITS)));
  // a name that begins with twelve hex digits would be taken for an id, or stand in its way
  const free = names.filter((name) => !short.has(name.split('/')[0] as string));
  return [...short, ...free].map((name) => ({ name, root }));
}

/** The last part of the address a push prints: the name as given, or 12 digits of the id that was given. */
export function addressName(
  argument: PushArgument,
  ids: readonly Digest[],
  names: readonly string[],
): string {
  const imageId = digestHex(ids[0] as Digest).slice(0, ID_DIGITS);
  if (argument.by === 'name' && names.includes(argument.text)) return argument.text;
  if (argument.by === 'id') {
    const digits = argument.text.replace(/^sha256:/, '');
    const match = ids.find((id) => digestHex(id).startsWith(digits));
    return match === undefined ? imageId : digestHex(match).slice(0, ID_DIGITS);
  }
  const given = argument.by === 'name' && isName(argument.text) ? publishedNames([argument.text]) : [];
  // in its short form, which sorts first
  return given.find((name) => names.includes(name)) ?? imageId;
}

function isName(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}
