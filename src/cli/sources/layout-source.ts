import { createReadStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { PushSource } from './push-source.ts';

/** A descriptor of the OCI image spec, as far as it is followed here; the station checks the rest. */
interface Descriptor {
  readonly digest?: unknown;
  readonly mediaType?: unknown;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** The tag of a manifest in a layout (OCI image spec, annotations.md). */
const REF_NAME = 'org.opencontainers.image.ref.name';
const HOLDS_DESCRIPTORS = /manifest\.(v1|list\.v2|v2)\+json$|image\.index\.v1\+json$/;
const MAX_JSON = 64 * 2 ** 20;
const MAX_BLOBS = 100_000;
const MAX_DEPTH = 8;

interface Blob {
  readonly name: string;
  readonly path: string;
  readonly size: number;
}

/**
 * A folder that is an OCI layout, as a tar made on the fly: `oci-layout` and `index.json` first, then every blob once,
 * manifests before their config before their layers, so that the station knows what a layer is when it comes.
 * @param tag only the manifest with this name
 */
export function layoutSource(
  argument: string,
  path: string,
  tag: string | undefined,
  names: readonly string[],
): PushSource {
  return {
    request: { argument, by: 'file', names },
    open: async (signal) => {
      const index = selectTag(await readIndex(path), path, tag);
      const blobs = await listBlobs(path, index.manifests);
      return packLayout(path, Buffer.from(index.text), blobs, signal);
    },
  };
}

interface LayoutIndex {
  readonly text: string;
  readonly manifests: readonly Descriptor[];
}

async function readIndex(path: string): Promise<LayoutIndex> {
  const file = join(path, 'index.json');
  try {
    const text = await readFile(file, 'utf8');
    const manifests = (JSON.parse(text) as { manifests?: unknown }).manifests;
    if (!Array.isArray(manifests)) throw new Error('it has no list of manifests');
    return { text, manifests: manifests.filter(isDescriptor) };
  } catch (error) {
    throw new Fault(
      'invalid',
      'not-an-image',
      `${path} is no OCI layout: ${file}: ${(error as Error).message}`,
      {
        cause: error,
        fields: { path },
      },
    );
  }
}

/** The layout's own index only says what is in the folder: leaving manifests out changes no image. */
function selectTag(index: LayoutIndex, path: string, tag: string | undefined): LayoutIndex {
  if (tag === undefined) return index;
  const manifests = index.manifests.filter((manifest) => manifest.annotations?.[REF_NAME] === tag);
  if (manifests.length === 0) {
    const tags = index.manifests
      .map((manifest) => String(manifest.annotations?.[REF_NAME] ?? ''))
      .filter(Boolean);
    throw new Fault(
      'not-found',
      'no-such-tag',
      `${path} has no manifest named ${JSON.stringify(tag)}; it has: ${tags.join(', ') || 'no names'}`,
      { fields: { path, tag, tags } },
    );
  }
  return { text: JSON.stringify({ ...JSON.parse(index.text), manifests }), manifests };
}

/** All blobs below the manifests that are files here, depth first. What is missing is for the station to judge. */
async function listBlobs(path: string, manifests: readonly Descriptor[]): Promise<Blob[]> {
  const found = new Map<string, Blob>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const digest = descriptor.digest;
    if (typeof digest !== 'string' || !isDigest(digest) || found.has(digest)) return;
    if (found.size >= MAX_BLOBS || depth > MAX_DEPTH) {
      throw new Fault('invalid', 'layout-too-large', `${path} holds too many blobs`, { fields: { path } });
    }
    const name = `blobs/sha256/${digest.slice(7)}`;
    const file = join(path, name);
    const stat = await lstat(file).catch(() => undefined);
    if (stat?.isFile() !== true) return;
    found.set(digest, { name, path: file, size: stat.size });
    if (!HOLDS_DESCRIPTORS.test(String(descriptor.mediaType)) || stat.size > MAX_JSON) return;
    for (const child of childrenOf(await readFile(file, 'utf8'))) await visit(child, depth + 1);
  };
  for (const manifest of manifests) await visit(manifest, 0);
  return [...found.values()];
}

function childrenOf(text: string): Descriptor[] {
  try {
    const json = JSON.parse(text) as { manifests?: unknown; config?: unknown; layers?: unknown };
    const lists = [json.manifests, json.config === undefined ? [] : [json.config], json.layers];
    return lists.flatMap((list) => (Array.isArray(list) ? list : [])).filter(isDescriptor);
  } catch {
    return [];
  }
}

function isDescriptor(value: unknown): value is Descriptor {
  return typeof value === 'object' && value !== null;
}

async function packLayout(
  path: string,
  index: Buffer,
  blobs: readonly Blob[],
  signal: AbortSignal,
): Promise<Readable> {
  // the bundle has only the default of a CommonJS module that is loaded late
  const { default: tarStream } = await import('tar-stream');
  const marker = await readFile(join(path, 'oci-layout'));
  const pack = tarStream.pack();
  const fill = async () => {
    pack.entry({ name: 'oci-layout' }, marker);
    pack.entry({ name: 'index.json' }, index);
    for (const { name, path: file, size } of blobs) {
      await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), pack.entry({ name, size }), {
        signal,
      });
    }
    pack.finalize();
  };
  fill().catch((error: Error) => pack.destroy(error));
  return Readable.from(pack, { objectMode: false, highWaterMark: 1 << 20 });
}
