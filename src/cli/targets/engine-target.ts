import { Fault } from '../../base/fault.ts';
import type { ExportRequest } from '../../observe/control/requests.ts';
import type { ManifestSummary, PullResult } from '../../observe/control/views.ts';
import type { ControlClient } from '../control-client.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import { type EngineImage, findEngineImage } from '../engine/engine-image.ts';
import { type EngineStoreKind, engineStoreKind, loadImage } from '../engine/engine-store.ts';
import { exportPlatform } from './export-platform.ts';

export interface EngineLoad {
  /** What the engine shows as the image's ID now. */
  readonly engineId: string;
  /** It is one of the image's own ids: image ID, manifest or index digest. */
  readonly sameId: boolean;
  /** It was there before with these names: nothing was streamed. */
  readonly already: boolean;
}

export interface EngineLoadOptions {
  /** Names to give it in the engine. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Streams a pulled image from the station into the engine and asks the engine for it afterwards.
 * @throws Fault `corrupt/engine-id-differs` on a graphdriver store, where the ID must be the image ID
 */
export async function loadIntoEngine(
  engine: EngineClient,
  client: ControlClient,
  pulled: PullResult,
  { names, signal }: EngineLoadOptions,
): Promise<EngineLoad> {
  const kind = await engineStoreKind(engine, signal);
  const manifest = hostManifest(pulled);
  const before = await imageOrNone(engine, expectedId(kind, pulled, manifest), signal);
  // The ID of an index does not tell whose blobs are there.
  const isWhole = kind === 'graphdriver' || pulled.indexDigest === undefined;
  if (isWhole && before !== undefined && names.every((name) => before.names.includes(withTag(name)))) {
    return { engineId: before.id, sameId: true, already: true };
  }
  const format = kind === 'containerd' && pulled.blobsKept ? 'oci-archive' : 'docker-archive';
  const request: ExportRequest = {
    image: pulled.imageRoot,
    format,
    ...(format === 'oci-archive' ? exportPlatform(pulled, format) : { platform: manifest.platform }),
    names,
  };
  const archive = await client.stream('export', request, signal);
  const loaded = await loadImage(engine, archive, signal);
  const engineId = (await loadedImage(engine, kind, pulled, loaded, signal)).id;
  const sameId = ownIds(pulled).includes(engineId);
  if (kind === 'graphdriver' && engineId !== manifest.imageId) {
    throw new Fault(
      'corrupt',
      'engine-id-differs',
      `the Docker engine made ${engineId} of the image ${manifest.imageId}`,
      { fields: { engineId, imageId: manifest.imageId } },
    );
  }
  return { engineId, sameId, already: false };
}

/** Asked by its own ids first, then by what the engine said it loaded (a store that made a new manifest). */
async function loadedImage(
  engine: EngineClient,
  kind: EngineStoreKind,
  pulled: PullResult,
  loaded: readonly string[],
  signal: AbortSignal,
): Promise<EngineImage> {
  const ids = kind === 'graphdriver' ? [hostManifest(pulled).imageId] : ownIds(pulled);
  for (const reference of [...ids, ...loaded]) {
    const image = await imageOrNone(engine, reference, signal);
    if (image !== undefined) return image;
  }
  throw new Fault('unavailable', 'not-loaded', 'the Docker engine took the image but does not have it', {
    fields: { host: engine.address.text },
  });
}

async function imageOrNone(
  engine: EngineClient,
  reference: string,
  signal: AbortSignal,
): Promise<EngineImage | undefined> {
  try {
    return await findEngineImage(engine, reference, signal);
  } catch (error) {
    if (error instanceof Fault && error.kind === 'not-found') return undefined;
    throw error;
  }
}

function expectedId(kind: EngineStoreKind, pulled: PullResult, manifest: ManifestSummary): string {
  return kind === 'graphdriver' ? manifest.imageId : (pulled.indexDigest ?? manifest.digest);
}

function ownIds(pulled: PullResult): string[] {
  const ids = pulled.manifests.flatMap(({ imageId, digest }) => [digest as string, imageId as string]);
  return pulled.indexDigest === undefined ? ids : [pulled.indexDigest, ...ids];
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: '386',
};

/** This machine's platform where it was pulled, else the first. */
function hostManifest(pulled: PullResult): ManifestSummary {
  const host = `linux/${ARCHITECTURES[process.arch] ?? process.arch}`;
  const found = pulled.manifests.find(({ platform }) => platform === host || platform.startsWith(`${host}/`));
  const manifest = found ?? pulled.manifests[0];
  if (manifest === undefined) throw new Fault('invalid', 'no-manifest', 'the pulled image has no manifest');
  return manifest;
}

function withTag(name: string): string {
  return name.lastIndexOf(':') > name.lastIndexOf('/') ? name : `${name}:latest`;
}
