import { isDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { EngineClient } from './engine-client.ts';

/** An image as an engine describes it. */
export interface EngineImage {
  /** The engine ID: config digest on graphdriver stores, manifest or index digest on containerd stores. */
  readonly id: string;
  /** In Docker's short form: `debian:12`, `jbenet/go-ipfs:latest`. */
  readonly names: readonly string[];
}

interface ImageJson {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
}

const HEX_PREFIX = /^(?:sha256:)?[0-9a-f]{1,64}$/;
/** More candidates than this are counted, not listed. */
const MAX_LISTED = 10;

/**
 * Finds an image by name, id or id prefix.
 * @throws Fault `not-found/no-such-image`, `invalid/ambiguous-id` (fields.candidates)
 */
export async function findEngineImage(
  engine: EngineClient,
  reference: string,
  signal: AbortSignal,
): Promise<EngineImage> {
  try {
    const path = `/images/${encodeReference(reference)}/json`;
    return imageOf(await engine.json<ImageJson>({ path, signal }));
  } catch (error) {
    if (!(error instanceof Fault) || (error.kind !== 'not-found' && error.kind !== 'invalid')) throw error;
    throw await explainMiss(engine, reference, error, signal);
  }
}

/** Whether the reference names the image by its id; a name wins where it is both, as it does in docker. */
export function isById(reference: string, image: EngineImage): boolean {
  if (!HEX_PREFIX.test(reference)) return false;
  const named = image.names.includes(reference) || image.names.includes(`${reference}:latest`);
  return !named && image.id.startsWith(reference.startsWith('sha256:') ? reference : `sha256:${reference}`);
}

/** Engines say "no such image" of an ambiguous prefix as well (20.10): the list tells which it is. */
async function explainMiss(
  engine: EngineClient,
  reference: string,
  fault: Fault,
  signal: AbortSignal,
): Promise<Fault> {
  if (!HEX_PREFIX.test(reference)) return noSuchImage(engine, reference, fault);
  const wanted = reference.startsWith('sha256:') ? reference : `sha256:${reference}`;
  const listed = await engine.json<ImageJson[]>({ path: '/images/json?all=1', signal });
  const candidates = listed.map(imageOf).filter((image) => image.id.startsWith(wanted));
  if (candidates.length < 2) return noSuchImage(engine, reference, fault);
  const shown = candidates
    .slice(0, MAX_LISTED)
    .map((image) => `${image.id.slice(7, 19)} ${image.names[0] ?? ''}`.trim());
  if (shown.length < candidates.length) shown.push(`and ${candidates.length - shown.length} more`);
  return new Fault(
    'invalid',
    'ambiguous-id',
    `${reference} is the beginning of ${candidates.length} images: ${shown.join(', ')}`,
    { cause: fault, fields: { reference, candidates: candidates.map((image) => image.id) } },
  );
}

function noSuchImage(engine: EngineClient, reference: string, fault: Fault): Fault {
  return new Fault(
    'not-found',
    'no-such-image',
    `the Docker engine at ${engine.address.text} has no image ${JSON.stringify(reference)}`,
    { cause: fault, fields: { reference, host: engine.address.text } },
  );
}

function imageOf(json: ImageJson): EngineImage {
  if (!isDigest(json.Id))
    throw new Fault('invalid', 'engine-answer', `the engine answered the image id ${json.Id}`);
  return { id: json.Id, names: (json.RepoTags ?? []).filter((name) => !name.includes('<none>')) };
}

/** A name has slashes that the API's path takes as they are. */
function encodeReference(reference: string): string {
  return reference.split('/').map(encodeURIComponent).join('/');
}
