import { type Descriptor, readDescriptor } from './descriptor.ts';
import { checkDocumentKind } from './image-manifest.ts';
import { readJsonDocument } from './json-document.ts';
import { findMediaType, OCI_INDEX } from './media-types.ts';

/** What is used of an OCI image index or a Docker manifest list. Its identity is its bytes, never this. */
export interface ImageIndex {
  readonly mediaType: string;
  /** In the order of the document; a descriptor may name another index, see {@link isNestedIndex}. */
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
  readonly artifactType?: string;
}

/** @throws Fault as {@link parseImageManifest} does */
export function parseImageIndex(bytes: Uint8Array): ImageIndex {
  const document = readJsonDocument(bytes, 'image index');
  checkDocumentKind(document, 'index', ['config', 'layers']);
  const annotations = document.optionalStringMap('annotations');
  const subject = document.optionalObject('subject');
  const artifactType = document.optionalString('artifactType');
  return {
    mediaType: document.optionalString('mediaType') ?? OCI_INDEX,
    manifests: document.objects('manifests').map(readDescriptor),
    ...(annotations === undefined ? {} : { annotations }),
    ...(subject === undefined ? {} : { subject: readDescriptor(subject) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

export function isNestedIndex(descriptor: Descriptor): boolean {
  return findMediaType(descriptor.mediaType)?.kind === 'index';
}

/** BuildKit's attestations stand in an index beside the images, for a platform that no machine has. */
export function isAttestation(descriptor: Descriptor): boolean {
  return descriptor.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest';
}
