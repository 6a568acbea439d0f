import type { Digest } from '../../base/digest.ts';
import type { KeptBlob } from '../../store/image-records.ts';
import type { CatalogueProfile } from '../catalogue/catalogue.ts';
import {
  decodeKeptBlob,
  decodeProfiles,
  encodeKeptBlob,
  encodeProfiles,
} from '../catalogue/catalogue-codec.ts';
import { type CborValue, cidValue, decodeCbor, digestValue, encodeCbor } from '../network/cbor-value.ts';

/** What one station asks another: hex digits of a digest, or a name in Docker's familiar form. */
export type ResolveQuestion =
  | { readonly kind: 'id'; readonly prefix: string }
  | { readonly kind: 'name'; readonly name: string };

/** One image that fits a question. */
export interface ResolveAnswer {
  /** For an id: the digest that begins with it. For a name: the image ID, or the index digest of several platforms. */
  readonly digest: Digest;
  /** CID of the image root. */
  readonly root: string;
  /** CID of the newest published root that lists the image under what was asked. */
  readonly publishedRoot?: string;
  /** The names below the published root that lead to the image root. */
  readonly path: readonly string[];
  readonly names: readonly string[];
  readonly keptBlobs: readonly KeptBlob[];
  /** Start-up profiles, where there are any. */
  readonly profiles?: readonly CatalogueProfile[];
  /** The bytes that hash to `digest`, with an answer to an id. */
  readonly proof?: Uint8Array;
}

export const RESOLVE_LIMITS = {
  questionBytes: 1024,
  replyBytes: 8 * 1024 * 1024,
  answers: 16,
  /** The largest JSON that an image may have. */
  proofBytes: 4 * 1024 * 1024,
  pathNames: 32,
  names: 64,
  nameBytes: 512,
  keptBlobs: 512,
} as const;
const LIMITS = RESOLVE_LIMITS;

/** @returns at most `questionBytes` bytes */
export function encodeQuestion(question: ResolveQuestion): Uint8Array {
  return encodeCbor(question.kind === 'id' ? { id: question.prefix } : { name: question.name });
}

/** @throws Fault `corrupt/bad-cbor` */
export function decodeQuestion(bytes: Uint8Array): ResolveQuestion {
  const value = decodeCbor(bytes, 'question');
  const id = value.field('id');
  if (id.absent) return { kind: 'name', name: value.field('name').text(LIMITS.nameBytes) };
  const prefix = id.text(64);
  if (!/^[0-9a-f]{6,64}$/.test(prefix)) throw id.fault('6 to 64 hex digits');
  return { kind: 'id', prefix };
}

export function encodeAnswers(answers: readonly ResolveAnswer[]): Uint8Array {
  return encodeCbor({
    answers: answers.map((answer) => ({
      digest: digestValue(answer.digest),
      root: cidValue(answer.root),
      ...(answer.publishedRoot === undefined ? {} : { published: cidValue(answer.publishedRoot) }),
      path: answer.path,
      names: answer.names,
      kept: answer.keptBlobs.map(encodeKeptBlob),
      ...encodeProfiles(answer.profiles),
      ...(answer.proof === undefined ? {} : { proof: answer.proof }),
    })),
  });
}

/** @throws Fault `corrupt/bad-cbor` for anything but answers within {@link RESOLVE_LIMITS} */
export function decodeAnswers(bytes: Uint8Array): ResolveAnswer[] {
  return decodeCbor(bytes, 'reply').field('answers').list(LIMITS.answers).map(decodeAnswer);
}

function decodeAnswer(value: CborValue): ResolveAnswer {
  const published = value.field('published');
  const proof = value.field('proof');
  const texts = (field: string, max: number) =>
    value
      .field(field)
      .list(max)
      .map((text) => text.text(LIMITS.nameBytes));
  return {
    digest: value.field('digest').digest(),
    root: value.field('root').cid(),
    ...(published.absent ? {} : { publishedRoot: published.cid() }),
    path: texts('path', LIMITS.pathNames),
    names: texts('names', LIMITS.names),
    keptBlobs: value.field('kept').list(LIMITS.keptBlobs).map(decodeKeptBlob),
    ...decodeProfiles(value),
    ...(proof.absent ? {} : { proof: proof.bytes(LIMITS.proofBytes) }),
  };
}
