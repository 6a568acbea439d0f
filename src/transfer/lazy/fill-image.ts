import { type Fault, toFault } from '../../base/fault.ts';
import type { ImageProfile } from '../../store/image-records.ts';
import { takeLayerTree } from '../pull-parts.ts';
import type { TransferComponents, TransferSettings } from '../transfer-components.ts';
import { anotherStation } from './another-station.ts';
import { fetchRest, type Pacer } from './background-fetch.ts';
import { pinCompleted, verifyImageLayers } from './image-completion.ts';
import type { LazyDraft } from './lazy-draft.ts';
import type { LazyView } from './lazy-images.ts';
import type { LazySession, LazyTally } from './lazy-session.ts';
import type { LazySettings } from './lazy-settings.ts';
import type { OfferedProfile } from './offered-profile.ts';
import { fetchProfile } from './profile-batch.ts';
import type { ReadQuiet } from './read-quiet.ts';
import type { SessionHolder } from './session-holder.ts';
import { type Turns, unlessAborted } from './turns.ts';

/** What filling takes from around the image; all images have the same. */
export interface FillSurroundings {
  readonly components: TransferComponents;
  readonly settings: TransferSettings & LazySettings;
  readonly pacer: Pacer;
  /** Verifications come one after the other. */
  readonly verifyTurn: Turns;
}

/** The image as it is filled. */
export interface FilledImage {
  /** As it is now. */
  readonly draft: LazyDraft;
  readonly tally: LazyTally;
  readonly holder: SessionHolder;
  readonly quiet: ReadQuiet;
  /** The start is over. */
  started(): void;
  stateIs(state: LazyView['state'], why?: string): void;
  profileIs(state: 'used' | 'here'): void;
  setProfile(profile: ImageProfile): Promise<void>;
  /** It was found to be a lie. */
  quarantine(fault: Fault): Promise<void>;
  /** Its record is about to be pinned, or that failed. */
  pinning(is: boolean): void;
}

const FIRST_PAUSE_MS = 1_000;
/** A station that comes ends a pause. */
const LAST_PAUSE_MS = 300_000;
const DISK_PAUSE_MS = 10_000;

/**
 * Brings the start-up profile's batch, then the rest, verifies it and pins it; tries again, later and later, where peers
 * or disk fail. Answers whether the image is whole; else it is quarantined, or nothing more is wanted.
 * @param begun.offered the start-up profile that somebody names; its batch is asked for at once
 * @param begun.opened the rest begins behind this, and behind the start-up: reads that wait follow close upon each other then
 */
export async function fillImage(
  image: FilledImage,
  around: FillSurroundings,
  { offered, opened }: { offered: Promise<OfferedProfile | undefined>; opened: Promise<unknown> },
  signal: AbortSignal,
): Promise<boolean> {
  const { holder, tally } = image;
  const { components, settings } = around;
  const failed = (error: unknown): Fault => failure(image, around, error, signal);
  await holder.use((session) => useProfile(image, around, session, { offered, signal })).catch(failed);
  await opened.catch(() => {});
  await image.quiet.over(settings.backgroundQuietMs, settings.profileWindowMs, signal);
  image.started();
  let treesTaken = false;
  const trees = async (session: LazySession): Promise<void> => {
    if (!treesTaken) await takeTrees(image, around, session);
    treesTaken = true;
  };
  try {
    await holder.use(async (session) => {
      await trees(session);
      await session.prepared();
    });
  } catch (error) {
    if (error instanceof LieError) return false;
    failed(error);
  }
  if (settings.background === 'off') {
    image.stateIs('waiting', 'fetch.background is off: what is read comes, nothing else');
    return false;
  }
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(LAST_PAUSE_MS, pause * 2)) {
    const before = tally.wireBytes;
    try {
      await holder.use(async (session) => {
        await trees(session);
        await complete(image, around, session, signal);
      });
      return true;
    } catch (error) {
      const fault = toFault(error);
      if (error instanceof LieError) return false;
      failed(fault);
      if (tally.wireBytes > before) pause = FIRST_PAUSE_MS;
      await anotherStation(components, fault.code === 'disk-full' ? DISK_PAUSE_MS : pause, signal);
    }
  }
  return false;
}

/** The image was quarantined. */
class LieError extends Error {}

async function useProfile(
  image: FilledImage,
  { components: { store } }: FillSurroundings,
  session: LazySession,
  { offered, signal }: { offered: Promise<OfferedProfile | undefined>; signal: AbortSignal },
): Promise<void> {
  const found = await unlessAborted(offered, signal);
  if (found === undefined) return;
  const kept = await fetchProfile(store, session, found, { onUsed: () => image.profileIs('used'), signal });
  if (kept === undefined) return;
  const known = image.draft.record.profiles?.some(({ root }) => root === kept.root);
  if (known !== true) await image.setProfile(kept);
  image.profileIs('here');
}

/** @throws LieError */
async function takeTrees(
  image: FilledImage,
  { components: { store } }: FillSurroundings,
  { lease, layers }: LazySession,
): Promise<void> {
  try {
    for (const layer of layers) takeLayerTree(store, lease, layer);
  } catch (error) {
    const fault = toFault(error);
    if (fault.kind !== 'corrupt') throw fault;
    await image.quarantine(fault);
    throw new LieError(fault.message, { cause: fault });
  }
}

async function complete(
  image: FilledImage,
  { components, settings, pacer, verifyTurn }: FillSurroundings,
  session: LazySession,
  signal: AbortSignal,
): Promise<void> {
  image.stateIs('fetching');
  await fetchRest(components, settings, session, { pacer, signal });
  await verifyTurn(signal, async () => {
    image.stateIs('verifying');
    const tarSizes = await verifyImageLayers(components, settings, session, signal).catch(async (error) => {
      const fault = toFault(error);
      if (fault.kind !== 'corrupt' && fault.kind !== 'invalid') throw fault;
      await image.quarantine(fault);
      throw new LieError(fault.message, { cause: fault });
    });
    image.pinning(true);
    const { draft } = image;
    try {
      const record = await pinCompleted(components, settings, session, draft, { tarSizes, signal });
      const { profiles } = image.draft.record;
      // recorded while it was being pinned
      if (profiles !== undefined && profiles !== draft.record.profiles)
        await components.store.images.put({ ...record, profiles });
    } finally {
      image.pinning(false);
    }
  });
}

function failure(
  image: FilledImage,
  { components: { logger } }: FillSurroundings,
  error: unknown,
  signal: AbortSignal,
): Fault {
  const fault = toFault(error);
  if (signal.aborted) return fault;
  image.stateIs('waiting', fault.message);
  const { root } = image.draft.record;
  logger.warn({ image: root, code: fault.code, reason: fault.message }, 'a lazy image waits');
  // a write failed, which its lease remembers; where room was only missed before there is nothing to forget
  const written = fault.code === 'disk-full' && fault.fields['needed'] === undefined;
  const session = image.holder.current();
  if (written && session !== undefined) image.holder.drop(session);
  return fault;
}
