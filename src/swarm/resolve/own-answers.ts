import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { create as createMultihash } from 'multiformats/hashes/digest';
import { type Digest, digestBytes, digestHex } from '../../base/digest.ts';
import { readNode } from '../../image/dag/dag-node.ts';
import { lookupLink } from '../../image/dag/directory-walk.ts';
import type { ImageRecord } from '../../store/image-records.ts';
import type { Store } from '../../store/store.ts';
import { profilesOf } from '../catalogue/own-catalogue.ts';
import { nameForms } from './image-name.ts';
import { RESOLVE_LIMITS, type ResolveAnswer, type ResolveQuestion } from './resolve-codec.ts';

const SHA2_256 = 0x12;
const SHORT_ID = 12;
const PUBLISHED_TRIED = 16;
/** Proofs of one reply, so that it stays below the limit of a reply. */
const PROOFS_BYTES = RESOLVE_LIMITS.proofBytes;

/** What this station answers to peers: shared images only, whatever else is here. */
export async function answerFromStore(
  store: Pick<Store, 'images' | 'blocks'>,
  question: ResolveQuestion,
): Promise<ResolveAnswer[]> {
  const answers: ResolveAnswer[] = [];
  let room = PROOFS_BYTES;
  for (const { record, digest } of matches(store, question)) {
    if (!record.shared) continue;
    // Of a name only the newest image that is shared: a station has one answer to it.
    if (answers.length >= (question.kind === 'name' ? 1 : RESOLVE_LIMITS.answers)) break;
    const proof = question.kind === 'id' ? await readProof(store, record, digest) : undefined;
    if (question.kind === 'id' && (proof === undefined || proof.length > room)) continue;
    room -= proof?.length ?? 0;
    answers.push({
      ...answerOf(store, record, digest, question),
      ...(proof === undefined ? {} : { proof }),
    });
  }
  return answers;
}

export interface RecordMatch {
  readonly record: ImageRecord;
  /** See {@link ResolveAnswer.digest}. */
  readonly digest: Digest;
}

/** The images here, shared or not, that fit; of one name the newest first. */
export function matches(store: Pick<Store, 'images'>, question: ResolveQuestion): RecordMatch[] {
  if (question.kind === 'name') {
    const records = new Set(nameForms(question.name).flatMap((name) => store.images.byName(name)));
    return [...records]
      .sort((a, b) => b.createdAt - a.createdAt)
      .map((record) => ({ record, digest: mainDigest(record) }))
      .filter((match): match is RecordMatch => match.digest !== undefined);
  }
  return store.images
    .byId(question.prefix)
    .flatMap((record) =>
      [...digestsOf(record)]
        .filter((digest) => digestHex(digest).startsWith(question.prefix))
        .map((digest) => ({ record, digest })),
    );
}

export function answerOf(
  store: Pick<Store, 'blocks'>,
  record: ImageRecord,
  digest: Digest,
  question: ResolveQuestion,
): ResolveAnswer {
  const paths =
    question.kind === 'id'
      ? [[digestHex(digest).slice(0, SHORT_ID)]]
      : nameForms(question.name).map((name) => name.split('/'));
  return {
    digest,
    root: record.root,
    ...(findPublished(store, record, paths) ?? { path: paths[0] as string[] }),
    names: record.names.slice(0, RESOLVE_LIMITS.names),
    keptBlobs: record.keptBlobs.slice(0, RESOLVE_LIMITS.keptBlobs),
    ...profilesOf(record),
  };
}

/** The newest published root here that leads to the image by one of the paths: an older one may list other names. */
function findPublished(
  { blocks }: Pick<Store, 'blocks'>,
  record: ImageRecord,
  paths: readonly (readonly string[])[],
): { publishedRoot: string; path: readonly string[] } | undefined {
  for (const publishedRoot of record.publishedRoots.toReversed().slice(0, PUBLISHED_TRIED)) {
    for (const path of paths) {
      if (walk(blocks, publishedRoot, path) === record.root) return { publishedRoot, path };
    }
  }
  return undefined;
}

function walk(blocks: Store['blocks'], root: string, path: readonly string[]): string | undefined {
  let at = CID.parse(root);
  for (const name of path) {
    const found = lookupLink(at, name, (cid) => blocks.getSync(cid));
    if (found.kind !== 'found') return undefined;
    at = found.link.cid;
  }
  return at.toString();
}

function digestsOf(record: ImageRecord): Set<Digest> {
  const digests = new Set(record.manifests.flatMap(({ imageId, digest }) => [imageId, digest]));
  if (record.indexDigest !== undefined) digests.add(record.indexDigest);
  return digests;
}

function mainDigest(record: ImageRecord): Digest | undefined {
  const [first, second] = record.manifests;
  return second === undefined ? first?.imageId : record.indexDigest;
}

/** The JSON that hashes to `digest`: up to 1 MiB its own raw block, above a chunked file (docs/dag-format.md). */
async function readProof(
  store: Pick<Store, 'blocks'>,
  record: ImageRecord,
  digest: Digest,
): Promise<Uint8Array | undefined> {
  const cid = CID.createV1(raw.code, createMultihash(SHA2_256, digestBytes(digest)));
  const block = await store.blocks.get(cid, { sharedOnly: true });
  if (block !== undefined) return block;
  const manifest = record.manifests.find((one) => one.imageId === digest || one.digest === digest);
  const [root, name] =
    manifest === undefined
      ? [record.root, 'index.json']
      : [manifest.root, manifest.imageId === digest ? 'config.json' : 'manifest.json'];
  const found = lookupLink(CID.parse(root), name, (wanted) =>
    store.blocks.getSync(wanted, { sharedOnly: true }),
  );
  if (found.kind !== 'found') return undefined;
  return readChunkedJson(store, found.link.cid);
}

async function readChunkedJson(store: Pick<Store, 'blocks'>, cid: CID): Promise<Uint8Array | undefined> {
  const bytes = await store.blocks.get(cid, { sharedOnly: true });
  if (bytes === undefined) return undefined;
  const { size, links } = readNode(cid, bytes);
  if (size > RESOLVE_LIMITS.proofBytes) return undefined;
  const leaves = await Promise.all(links.map((link) => store.blocks.get(link.cid, { sharedOnly: true })));
  return leaves.every((leaf) => leaf !== undefined) ? Buffer.concat(leaves) : undefined;
}
