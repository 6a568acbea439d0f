import type { Readable } from 'node:stream';
import { Fault } from '../../base/fault.ts';
import { readJsonLines } from '../json-lines.ts';
import type { EngineClient } from './engine-client.ts';
import type { EngineImage } from './engine-image.ts';

/** How an engine keeps images: which ID it shows and which archive gives it back the same one. */
export type EngineStoreKind = 'graphdriver' | 'containerd';

interface EngineInfo {
  readonly DriverStatus?: readonly (readonly [string, string])[] | null;
}

interface LoadMessage {
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

export async function engineStoreKind(engine: EngineClient, signal: AbortSignal): Promise<EngineStoreKind> {
  const info = await engine.json<EngineInfo>({ path: '/info', signal });
  const containerd = info.DriverStatus?.some(([, value]) => value.startsWith('io.containerd.snapshotter'));
  return containerd === true ? 'containerd' : 'graphdriver';
}

/** The image as `docker save` writes it. Asked for by id: a name could be moved to another image meanwhile. */
export function saveImage(engine: EngineClient, image: EngineImage, signal: AbortSignal): Promise<Readable> {
  return engine.stream({ path: `/images/get?names=${encodeURIComponent(image.id)}`, signal });
}

/**
 * Streams an archive into the engine.
 * @returns what it says that it loaded: names and ids
 * @throws Fault `invalid/load-failed` with the engine's message
 */
export async function loadImage(
  engine: EngineClient,
  archive: Readable,
  signal: AbortSignal,
): Promise<string[]> {
  const answer = await engine.stream({
    method: 'POST',
    path: '/images/load?quiet=1',
    body: archive,
    signal,
  });
  const loaded: string[] = [];
  for await (const line of readJsonLines(answer)) {
    const { stream, error, errorDetail } = line as LoadMessage;
    const reason = errorDetail?.message ?? error;
    if (reason !== undefined) {
      throw new Fault('invalid', 'load-failed', `the Docker engine did not take the image: ${reason}`, {
        fields: { host: engine.address.text },
      });
    }
    const found = /^Loaded image(?: ID)?: (\S+)/.exec(stream ?? '');
    if (found !== null) loaded.push(found[1] as string);
  }
  return loaded;
}
