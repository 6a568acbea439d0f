import { Fault } from '../../base/fault.ts';
import { type Descriptor, readDescriptor } from './descriptor.ts';
import { type JsonObject, readJsonDocument } from './json-document.ts';
import { findMediaType, OCI_MANIFEST } from './media-types.ts';

/** What is used of an OCI image manifest or a Docker one of schema 2. Its identity is its bytes, never this. */
export interface ImageManifest {
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** The manifest that this one speaks about (signatures, attestations). */
  readonly subject?: Descriptor;
  readonly artifactType?: string;
}

const DOCUMENT = 'image manifest';

/**
 * Unknown fields pass; what is used must be right.
 * @throws Fault `unsupported/manifest-schema1`, `invalid/ambiguous-document` where it could also be read as an index,
 *   `invalid/bad-document`, `invalid/bad-json`, `invalid/json-too-big`, `unsupported/digest-algorithm`
 */
export function parseImageManifest(bytes: Uint8Array): ImageManifest {
  const document = readJsonDocument(bytes, DOCUMENT);
  checkDocumentKind(document, 'manifest', ['manifests']);
  const annotations = document.optionalStringMap('annotations');
  const subject = document.optionalObject('subject');
  const artifactType = document.optionalString('artifactType');
  return {
    mediaType: document.optionalString('mediaType') ?? OCI_MANIFEST,
    config: readDescriptor(document.object('config')),
    layers: document.objects('layers').map(readDescriptor),
    ...(annotations === undefined ? {} : { annotations }),
    ...(subject === undefined ? {} : { subject: readDescriptor(subject) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

/**
 * One document must not be a manifest to one reader and an index to another (CVE-2021-41190): its media type, where it
 * names one, is of this kind, and it has none of the other's fields.
 */
export function checkDocumentKind(
  document: JsonObject,
  kind: 'manifest' | 'index',
  foreignFields: readonly string[],
): void {
  const version = document.optionalInteger('schemaVersion');
  const mediaType = document.optionalString('mediaType');
  const known = mediaType === undefined ? undefined : findMediaType(mediaType)?.kind;
  if (version === 1 || known === 'manifest-schema1' || document.has('fsLayers')) {
    throw new Fault(
      'unsupported',
      'manifest-schema1',
      'the image has a manifest of schema 1, which Docker gave up: pull and push it once with a current engine',
      { fields: { document: document.document } },
    );
  }
  const foreign = foreignFields.find((field) => document.has(field));
  if (foreign !== undefined || (mediaType !== undefined && known !== kind)) {
    const reason =
      foreign === undefined
        ? `its media type is ${JSON.stringify(mediaType?.slice(0, 128))}`
        : `it has the field ${foreign}`;
    throw new Fault('invalid', 'ambiguous-document', `not an ${document.document}: ${reason}`, {
      fields: { document: document.document, reason },
    });
  }
}
