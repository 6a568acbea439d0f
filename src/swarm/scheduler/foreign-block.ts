import type { CID } from 'multiformats/cid';
import { Fault, toFault } from '../../base/fault.ts';
import { verifyBlock } from '../../image/dag/dag-node.ts';
import type { BlockFetcherComponents, FetchSettings } from './fetcher-components.ts';

/**
 * One verified block from foreign IPFS nodes, waited for no longer than `waitMs`.
 * @throws Fault `unavailable/no-peer-has-block`, `corrupt/block-mismatch`, `cancelled`
 */
export async function foreignBlock(
  cid: CID,
  components: Pick<BlockFetcherComponents, 'bitswap'>,
  settings: Pick<FetchSettings, 'waitMs'>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const block = cid.toString();
  const deadline = AbortSignal.timeout(settings.waitMs);
  let cause: unknown;
  try {
    if (components.bitswap !== undefined) {
      const bytes = await components.bitswap.get(cid, AbortSignal.any([signal, deadline]));
      verifyBlock(cid, bytes);
      return bytes;
    }
  } catch (thrown) {
    if (signal.aborted) throw new Fault('cancelled', 'cancelled', 'cancelled', { cause: thrown });
    if (toFault(thrown).code === 'block-mismatch') throw thrown;
    cause = thrown;
  }
  throw new Fault('unavailable', 'no-peer-has-block', `no peer gives block ${block}`, {
    fields: { block, peers: [] },
    cause,
  });
}
