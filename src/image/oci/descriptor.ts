import type { Digest } from '../../base/digest.ts';
import type { JsonObject } from './json-document.ts';
import type { Platform } from './platform.ts';

/** How one document names a blob (image-spec descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  /** Where a foreign layer comes from. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** In an index: what the manifest is for. Not normalised. */
  readonly platform?: Platform;
  readonly artifactType?: string;
}

/** @throws Fault `invalid/bad-document` that names the field, `unsupported/digest-algorithm` */
export function readDescriptor(object: JsonObject): Descriptor {
  const urls = object.optionalStrings('urls');
  const annotations = object.optionalStringMap('annotations');
  const platform = readPlatform(object.optionalObject('platform'));
  const artifactType = object.optionalString('artifactType');
  return {
    mediaType: object.string('mediaType'),
    digest: object.digest('digest'),
    size: object.size('size'),
    ...(urls === undefined || urls.length === 0 ? {} : { urls }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

function readPlatform(object: JsonObject | undefined): Platform | undefined {
  if (object === undefined) return undefined;
  const variant = object.optionalString('variant');
  const osVersion = object.optionalString('os.version');
  return {
    os: object.optionalString('os') ?? '',
    architecture: object.optionalString('architecture') ?? '',
    ...(variant === undefined || variant === '' ? {} : { variant }),
    ...(osVersion === undefined || osVersion === '' ? {} : { osVersion }),
  };
}
