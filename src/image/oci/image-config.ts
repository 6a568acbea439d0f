import type { Digest } from '../../base/digest.ts';
import { readJsonDocument } from './json-document.ts';
import type { Platform } from './platform.ts';

export interface HistoryStep {
  readonly created?: string;
  readonly createdBy?: string;
  readonly comment?: string;
  /** The step made no layer. */
  readonly emptyLayer: boolean;
}

/** What is used of an image config. Its identity, the image ID, is its bytes, never this. */
export interface ImageConfig {
  /** Not normalised; empty strings where the config does not say. */
  readonly platform: Platform;
  /** One a layer, bottom first. */
  readonly diffIds: readonly Digest[];
  /** As written, RFC 3339. */
  readonly created?: string;
  readonly history: readonly HistoryStep[];
}

/**
 * @returns `undefined` where the document has no diffIDs: the config of an artifact, whose layers are blobs
 * @throws Fault `invalid/bad-json`, `invalid/json-too-big`, `invalid/bad-document`, `unsupported/digest-algorithm`
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig | undefined {
  const document = readJsonDocument(bytes, 'image config');
  const diffIds = document.optionalObject('rootfs')?.optionalDigests('diff_ids');
  if (diffIds === undefined) return undefined;
  const variant = document.optionalString('variant');
  const osVersion = document.optionalString('os.version');
  const created = document.optionalString('created');
  return {
    platform: {
      os: document.optionalString('os') ?? '',
      architecture: document.optionalString('architecture') ?? '',
      ...(variant === undefined || variant === '' ? {} : { variant }),
      ...(osVersion === undefined || osVersion === '' ? {} : { osVersion }),
    },
    diffIds,
    ...(created === undefined ? {} : { created }),
    history: (document.optionalObjects('history') ?? []).map((step) => {
      const stepCreated = step.optionalString('created');
      const createdBy = step.optionalString('created_by');
      const comment = step.optionalString('comment');
      return {
        ...(stepCreated === undefined ? {} : { created: stepCreated }),
        ...(createdBy === undefined ? {} : { createdBy }),
        ...(comment === undefined ? {} : { comment }),
        emptyLayer: step.optionalBoolean('empty_layer') ?? false,
      };
    }),
  };
}
