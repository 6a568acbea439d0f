import type { CID } from 'multiformats/cid';
import { Fault, toFault } from '../../base/fault.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Store } from '../../store/store.ts';
import type { WantedLeaves } from './lazy-images.ts';
import type { LazySession } from './lazy-session.ts';
import type { SessionHolder } from './session-holder.ts';

export interface DemandRead {
  readonly store: Store;
  readonly logger: Logger;
  readonly holder: SessionHolder;
  /** What a person calls the image: for the log. */
  readonly image: string;
  /** `mount.wait` */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Brings leaves that a read waits for. Resolves when their bytes are in the file.
 * @throws Fault `invalid/no-such-leaves`, `unavailable/no-peer-has-block`, `unavailable/disk-full`, `cancelled`; the last
 *   three are logged with image, file and block
 */
export async function readLeaves(read: DemandRead, leaves: WantedLeaves): Promise<{ complete: boolean }> {
  const { store, holder } = read;
  return holder.use(async (session) => {
    const cid = objectOf(session, leaves);
    if (await store.objects.readable(cid)) return { complete: true };
    try {
      await bring(read, session, leaves);
      if (await store.objects.readable(cid)) return { complete: true };
      // a write that failed is told to who waits for the queue
      await store.objects.drained(session.lease);
      if (isWhole(session, leaves)) throw notWritten(cid);
      return { complete: false };
    } catch (error) {
      if (await store.objects.readable(cid)) return { complete: true };
      throw failed(read, session, leaves, error);
    }
  });
}

async function bring(
  { waitMs, signal }: DemandRead,
  session: LazySession,
  leaves: WantedLeaves,
): Promise<void> {
  const { targets } = session;
  const indexes = targets.leavesOf(leaves.layer, leaves.object, leaves.first, leaves.end);
  await targets.lookUp(indexes);
  const missing = indexes.filter((index) => !targets.has(index));
  const wantClass = leaves.ahead === true ? 'profile' : 'demand';
  if (missing.length > 0) await session.fetch(missing, { wantClass, waitMs, signal });
}

/** One block: it lies in `cas/` or nowhere. */
function isWhole({ layers }: LazySession, { layer, object }: WantedLeaves): boolean {
  return layers[layer]?.part.index?.objectLeaves(object) === undefined;
}

function objectOf({ layers }: LazySession, { layer, object, first, end }: WantedLeaves): CID {
  const index = layers[layer]?.layer.index;
  const within = Number.isSafeInteger(object) && object >= 0 && object < (index?.objectCount ?? 0);
  const leafCount = within ? (index?.objectLeaves(object)?.length ?? 32) / 32 : 0;
  if (index === undefined || !(first >= 0 && first < end && end <= leafCount)) {
    throw new Fault(
      'invalid',
      'no-such-leaves',
      `layer ${layer} has no leaves ${first} to ${end} of object ${object}`,
      { fields: { layer, object, first, end } },
    );
  }
  return index.objectCid(object);
}

function failed(
  { holder, logger, image }: DemandRead,
  session: LazySession,
  { path }: WantedLeaves,
  error: unknown,
): Fault {
  const fault = toFault(error);
  if (fault.kind === 'cancelled') return fault;
  // the lease remembers a failed write; the next read must not inherit it
  if (fault.code === 'disk-full') holder.drop(session);
  const fields = { ...fault.fields, image, file: path };
  logger.warn({ ...fields, code: fault.code, reason: fault.message }, 'a read of a lazy image failed');
  return new Fault(fault.kind, fault.code, `${image}: ${path}: ${fault.message}`, { fields, cause: fault });
}

function notWritten(cid: CID): Fault {
  return new Fault('internal', 'not-written', `object ${cid} came and is not in its file`, {
    fields: { block: cid.toString() },
  });
}
