import { CID } from 'multiformats/cid';
import { digestHex } from '../../base/digest.ts';
import { Fault, toFault } from '../../base/fault.ts';
import type { Logger } from '../../observe/logger.ts';
import type { ImageRecord, KeptBlob } from '../../store/image-records.ts';
import type { Store } from '../../store/store.ts';
import type { CatalogueProfile } from '../catalogue/catalogue.ts';
import type { CatalogueExchange } from '../catalogue/catalogue-exchange.ts';
import type { HeldImage, ImageQuery, NamedImage, Resolution } from '../image-query.ts';
import { answerPeer } from '../network/message-exchange.ts';
import type { Stations } from '../network/stations.ts';
import { parsePeerId, type StationTrust } from '../trust/station-trust.ts';
import { answersFromCatalogues } from './catalogue-answers.ts';
import { ambiguousId, chooseById, chooseByName } from './choose-answer.ts';
import { normalizeName } from './image-name.ts';
import { openNameChoices } from './name-choices.ts';
import { answerFromStore, answerOf, matches, type RecordMatch } from './own-answers.ts';
import type { PeerAnswer, RootAnswers } from './peer-answer.ts';
import { decodeQuestion, encodeAnswers, RESOLVE_LIMITS, type ResolveQuestion } from './resolve-codec.ts';
import { type PollResult, pollStations, RESOLVE_PROTOCOL } from './station-poll.ts';

export interface ResolverComponents {
  readonly store: Store;
  readonly stations: Stations;
  readonly dialling: () => number;
  readonly trust: StationTrust;
  readonly catalogues: Pick<CatalogueExchange, 'get'>;
  readonly logger: Logger;
}

export interface ResolverSettings {
  readonly fullIds: boolean;
  readonly waitMs: number;
  /** Members of the private network are believed names. */
  readonly believeNames: boolean;
  /** Members are believed as trusted stations are. */
  readonly believeAll: boolean;
}

export interface ResolveOptions {
  readonly from?: string;
  readonly signal: AbortSignal;
}

export interface Resolver {
  /** See `Swarm.resolve`. */
  resolve(query: ImageQuery, options: ResolveOptions): Promise<Resolution>;
  /** See `Swarm.holders`. */
  holders(image: HeldImage, signal: AbortSignal): Promise<readonly string[]>;
  /** See `Swarm.profiles`. */
  profiles(image: HeldImage | NamedImage, signal: AbortSignal): Promise<readonly CatalogueProfile[]>;
  /** See `Swarm.keptBlobs`. */
  keptBlobs(image: HeldImage, options: ResolveOptions): Promise<readonly KeptBlob[]>;
}

const MIN_ID = 6;
const FULL_ID = 64;
const MAX_INBOUND = 16;
const ANSWER_MS = 10_000;
/** Who does not answer in this time is not counted as a holder. */
const HOLDERS_MS = 2_000;

/** Answers `/shp/resolve/1` for peers, and finds what a user names: here first, then at the stations connected. */
export function createResolver(components: ResolverComponents, settings: ResolverSettings): Resolver {
  const { store, stations, trust, catalogues, logger } = components;
  const choices = openNameChoices(store.values);

  stations.handle(
    RESOLVE_PROTOCOL,
    (stream, peer) => {
      answerPeer(stream, RESOLVE_LIMITS.questionBytes, ANSWER_MS, async (bytes) =>
        encodeAnswers(await answerFromStore(store, decodeQuestion(bytes))),
      ).catch((error) => logger.debug({ peer, error: String(error) }, 'a question was not answered'));
    },
    { maxInbound: MAX_INBOUND },
  );

  const poll = (question: ResolveQuestion, options: ResolveOptions): Promise<PollResult> =>
    pollStations(components, question, { ...options, waitMs: settings.waitMs }).catch((error) => {
      throw options.signal.aborted ? new Fault('cancelled', 'cancelled', 'cancelled') : toFault(error);
    });

  const fromPeers = (group: RootAnswers, by: 'id' | 'name', asked?: string): Resolution => {
    const answers = group.answers.map(({ answer }) => answer);
    const here = new Set(stations.connectedStations());
    const first = answers.find(({ publishedRoot }) => publishedRoot !== undefined) ?? answers[0];
    if (first === undefined) throw new Fault('internal', 'no-answer', 'a root without an answer');
    const explicit = group.rank !== undefined || asked !== undefined || settings.believeAll;
    const namesBelieved = explicit || settings.believeNames;
    return {
      imageRoot: CID.parse(group.root),
      ...(first.publishedRoot === undefined ? {} : { publishedRoot: CID.parse(first.publishedRoot) }),
      path: first.path,
      digest: first.digest,
      trusted: explicit || by === 'name',
      peers: group.answers.map(({ peer }) => peer).filter((peer) => here.has(peer)),
      // Names of a peer that is not believed would be given to its image here.
      names: namesBelieved ? [...new Set(answers.flatMap(({ names }) => names))] : [],
      keptBlobs: first.keptBlobs,
      profiles: answers.find(({ profiles }) => profiles !== undefined)?.profiles ?? [],
    };
  };
  const fromHere = ({ record, digest }: RecordMatch, question: ResolveQuestion): Resolution => {
    const { publishedRoot, path } = answerOf(store, record, digest, question);
    return {
      ...ownResolution(record, path),
      ...(publishedRoot === undefined ? {} : { publishedRoot: CID.parse(publishedRoot) }),
      digest,
    };
  };

  const byId = async (given: string, options: ResolveOptions): Promise<Resolution> => {
    const prefix = parseId(given, settings.fullIds);
    const question = { kind: 'id', prefix } as const;
    if (options.from === undefined) {
      const here = matches(store, question);
      const digests = [...new Set(here.map(({ digest }) => digest))].sort();
      if (digests.length > 1) throw ambiguousId(prefix, digests);
      if (here[0] !== undefined) return fromHere(here[0], question);
    }
    const { answers, asked } = await poll(question, options);
    const group = chooseById(prefix, answers, trust.rank);
    if (group === undefined) throw unknown(prefix, asked);
    return fromPeers(group, 'id', options.from);
  };

  const byName = async (given: string, options: ResolveOptions): Promise<Resolution> => {
    const { full, short, digest } = normalizeName(given);
    if (digest !== undefined) return byId(digestHex(digest), options);
    const question = { kind: 'name', name: full } as const;
    if (options.from === undefined) {
      const here = matches(store, question)[0];
      if (here !== undefined) return fromHere(here, question);
    }
    const { answers, asked } = await poll(question, options);
    const named = answers.filter(({ answer: { names } }) => names.includes(full) || names.includes(short));
    if (options.from === undefined) {
      // Of a trusted station that is away, its last catalogue speaks.
      const silent = trust.list().filter((peer) => !asked.includes(peer));
      named.push(...answersFromCatalogues(full, silent, catalogues.get));
    }
    const group = chooseByName(short, named, {
      rank: options.from === undefined ? trust.rank : () => 0,
      believeMembers: settings.believeNames,
      choice: choices.get(full),
    });
    if (group === undefined) throw unknown(given, asked);
    return fromPeers(group, 'name', options.from);
  };

  /** Of connected stations that hold this very image. */
  const answersOf = async (
    { digest, root }: HeldImage,
    options: ResolveOptions,
  ): Promise<readonly PeerAnswer[]> => {
    if (stations.connectedStations().length === 0) return [];
    const question: ResolveQuestion = { kind: 'id', prefix: digestHex(digest) };
    const { answers } = await pollStations(components, question, {
      ...options,
      waitMs: HOLDERS_MS,
      connectedOnly: true,
    });
    return answers.filter(({ answer }) => answer.root === root);
  };

  /** Of all images that are called so: whose they are stands in them. */
  const profilesNamed = async (name: string, signal: AbortSignal): Promise<CatalogueProfile[]> => {
    if (stations.connectedStations().length === 0) return [];
    const question: ResolveQuestion = /^[0-9a-f]{6,64}$/.test(name)
      ? { kind: 'id', prefix: name }
      : { kind: 'name', name: normalizeName(name).full };
    const { answers } = await pollStations(components, question, {
      signal,
      waitMs: HOLDERS_MS,
      connectedOnly: true,
    });
    return answers.flatMap(({ answer }) => answer.profiles ?? []);
  };

  const remember = async (name: string, peer: string, { imageRoot }: Resolution): Promise<void> => {
    await choices.put(normalizeName(name).full, { peer, root: imageRoot.toString() });
  };

  return {
    holders: async (image, signal) => (await answersOf(image, { signal })).map(({ peer }) => peer),
    async profiles(image, signal) {
      if ('name' in image) return profilesNamed(image.name, signal);
      const named = (profiles: readonly CatalogueProfile[] | undefined) => (profiles ?? []).length > 0;
      for (const peer of trust.list()) {
        const known = catalogues.get(peer)?.images.find(({ root }) => root === image.root);
        if (named(known?.profiles)) return known?.profiles ?? [];
      }
      const answers = await answersOf(image, { signal });
      return answers.find(({ answer }) => named(answer.profiles))?.answer.profiles ?? [];
    },
    async keptBlobs(image, options) {
      const blobs = (await answersOf(image, options)).flatMap(({ answer }) => answer.keptBlobs);
      return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
    },
    async resolve(query, given) {
      const options = withFrom(given, stations);
      switch (query.kind) {
        case 'cid':
          return byCid(store, query.cid, query.path);
        case 'id':
          return byId(query.prefix, options);
        case 'name': {
          const found = await byName(query.name, options);
          if (options.from !== undefined) await remember(query.name, options.from, found);
          return found;
        }
        case 'ipns':
          return byName(query.name, withFrom({ ...given, from: query.peer }, stations));
      }
    },
  };
}

function withFrom(options: ResolveOptions, stations: Stations): ResolveOptions {
  if (options.from === undefined) return options;
  const from = parsePeerId(options.from);
  if (!stations.connectedStations().includes(from)) {
    throw new Fault(
      'unavailable',
      'not-connected',
      `not connected to ${from}: dkr-shp connect <its address>`,
      {
        fields: { peer: from },
      },
    );
  }
  return { ...options, from };
}

function parseId(given: string, fullOnly: boolean): string {
  const prefix = given.toLowerCase().replace(/^sha256:/, '');
  const fields = { id: given };
  if (!/^[0-9a-f]*$/.test(prefix) || prefix.length > FULL_ID) {
    throw new Fault('invalid', 'bad-id', `not an image id: ${JSON.stringify(given)}`, { fields });
  }
  if (prefix.length < MIN_ID) {
    throw new Fault('invalid', 'id-too-short', `${given} is too short: give at least ${MIN_ID} digits`, {
      fields,
    });
  }
  if (fullOnly && prefix.length < FULL_ID) {
    throw new Fault(
      'invalid',
      'id-too-short',
      `${given} is short, and a short id can be forged: give all ${FULL_ID} digits (setting ids.full)`,
      { fields },
    );
  }
  return prefix;
}

/** An address names itself: nobody needs to be asked or trusted. */
function byCid(store: Store, cid: CID, path: readonly string[]): Resolution {
  const text = cid.toString();
  for (const record of store.images.all()) {
    if (record.publishedRoots.includes(text)) {
      return { ...ownResolution(record, path), publishedRoot: cid };
    }
    if (record.root === text && path.length === 0) return ownResolution(record, path);
  }
  return {
    imageRoot: cid,
    ...(path.length === 0 ? {} : { publishedRoot: cid }),
    path,
    trusted: true,
    peers: [],
    names: [],
    keptBlobs: [],
    profiles: [],
  };
}

function ownResolution(record: ImageRecord, path: readonly string[]): Resolution {
  return {
    imageRoot: CID.parse(record.root),
    path,
    trusted: true,
    peers: [],
    names: record.names,
    keptBlobs: record.keptBlobs,
    profiles: record.profiles ?? [],
  };
}

function unknown(asked: string, stations: readonly string[]): Fault {
  const who =
    stations.length === 0
      ? 'no station is connected: dkr-shp connect <address>'
      : `asked ${stations.length} station${stations.length === 1 ? '' : 's'}`;
  return new Fault('not-found', 'unknown-image', `no image ${asked} is known (${who})`, {
    fields: { image: asked, asked: stations.length },
  });
}
