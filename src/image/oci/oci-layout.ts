import { type Digest, digestHex } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { Descriptor } from './descriptor.ts';
import { readJsonDocument } from './json-document.ts';
import { OCI_INDEX } from './media-types.ts';
import { parseReference, printReference } from './reference.ts';

/** Files of an OCI layout (image-spec image-layout.md). `index.json` is read by `parseImageIndex`. */
export const OCI_LAYOUT_FILE = 'oci-layout';
export const OCI_LAYOUT_INDEX = 'index.json';

export const REF_NAME = 'org.opencontainers.image.ref.name';
export const CONTAINERD_NAME = 'io.containerd.image.name';

const VERSION = '1.0.0';

/** @throws Fault `unsupported/layout-version` and those of a bad document */
export function checkOciLayout(bytes: Uint8Array): void {
  const version = readJsonDocument(bytes, OCI_LAYOUT_FILE).string('imageLayoutVersion');
  if (version === VERSION) return;
  throw new Fault(
    'unsupported',
    'layout-version',
    `OCI layout of version ${JSON.stringify(version.slice(0, 32))}, only ${VERSION} is known`,
    { fields: { version: version.slice(0, 32) } },
  );
}

/** The bytes of the `oci-layout` file. */
export function writeOciLayout(): Buffer {
  return Buffer.from(JSON.stringify({ imageLayoutVersion: VERSION }));
}

/** Where a blob lies in a layout. */
export function layoutBlobPath(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

/**
 * The image's full name that a descriptor of `index.json` carries: containerd's annotation, else a reference name that
 * is more than a tag. `undefined`: the user must name it.
 */
export function layoutImageName(descriptor: Descriptor): string | undefined {
  const given = descriptor.annotations?.[CONTAINERD_NAME] ?? descriptor.annotations?.[REF_NAME];
  if (given === undefined || !/[/:]/.test(given)) return undefined;
  try {
    return printReference(parseReference(given));
  } catch {
    // Layouts of other tools have anything here.
    return undefined;
  }
}

export interface LayoutImage {
  readonly descriptor: Descriptor;
  /** Any form of a name; absent: unnamed. */
  readonly name?: string;
}

/** The bytes of `index.json`; a name is annotated as containerd and `docker save` do. */
export function writeLayoutIndex(images: readonly LayoutImage[]): Buffer {
  const manifests = images.map(({ descriptor, name }) => {
    const { mediaType, digest, size, platform } = descriptor;
    const annotations = { ...descriptor.annotations, ...(name === undefined ? {} : nameAnnotations(name)) };
    return {
      mediaType,
      digest,
      size,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(platform === undefined ? {} : { platform: writePlatform(platform) }),
    };
  });
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
}

function nameAnnotations(name: string): Record<string, string> {
  const reference = parseReference(name);
  return {
    [CONTAINERD_NAME]: printReference(reference),
    ...(reference.tag === undefined ? {} : { [REF_NAME]: reference.tag }),
  };
}

function writePlatform(platform: NonNullable<Descriptor['platform']>): Record<string, string> {
  const { os, architecture, variant, osVersion } = platform;
  return {
    architecture,
    os,
    ...(osVersion === undefined ? {} : { 'os.version': osVersion }),
    ...(variant === undefined ? {} : { variant }),
  };
}
