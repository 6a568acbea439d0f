import type { CID } from 'multiformats/cid';
import { Fault, toFault } from '../../base/fault.ts';
import { formatPlatform, machinePlatform } from '../../image/oci/platform.ts';
import type { TreeRequest } from '../block-fetcher.ts';
import { MAX_TREE_HAVE } from '../lanes/lane-limits.ts';
import { type TreeSelection, walkTree } from '../lanes/tree-walk.ts';
import type { BlockFetcherComponents, FetchSettings } from './fetcher-components.ts';
import { foreignBlock } from './foreign-block.ts';
import type { Scheduler } from './scheduler.ts';
import { type TreeBlock, TreeIntake } from './tree-intake.ts';
import type { PeerStation } from './want.ts';

export interface TreeComponents extends BlockFetcherComponents {
  readonly scheduler: Scheduler;
  readonly settings: FetchSettings;
}

/** A peer that has sent nothing for so long is joined by the next one. */
const LEAST_PATIENCE_MS = 1000;
/** Lanes of one peer that may fail, at one look each 100 ms. */
const MAX_FAILURES = 20;
/** Blocks asked of foreign nodes at once. */
const FOREIGN_WIDTH = 8;

/** See {@link BlockFetcher.tree}: stations one after the other, the next one also where the first is slow, then bitswap. */
export async function* fetchTree(
  request: TreeRequest,
  components: TreeComponents,
): AsyncGenerator<TreeBlock> {
  const fetch = new TreeFetch(request, components);
  try {
    yield* fetch.run();
  } finally {
    fetch.end();
  }
}

interface Sender {
  readonly station: PeerStation;
  readonly cancel: () => void;
  readonly hold: (held: boolean) => void;
}

class TreeFetch {
  readonly #request: TreeRequest;
  readonly #components: TreeComponents;
  readonly #intake: TreeIntake;
  readonly #senders = new Map<string, Sender>();
  readonly #tried = new Set<string>();
  readonly #faults: Fault[] = [];
  readonly #ended = new AbortController();
  readonly #platform: string;
  #whole = false;
  #failed: Fault | undefined;
  /** Times that a lane to a peer failed before or in its answer. */
  readonly #failures = new Map<string, number>();
  #opening = 0;
  #foreign: 'no' | 'running' | 'done' = 'no';
  #startedAt: number;

  constructor(request: TreeRequest, components: TreeComponents) {
    this.#request = request;
    this.#components = components;
    this.#platform = request.platform ?? formatPlatform(machinePlatform(process.arch, process.platform));
    this.#startedAt = components.clock.monotonic();
    this.#intake = new TreeIntake(request.root, components.settings.treeMaxBytes, (held) => {
      for (const sender of this.#senders.values()) sender.hold(held);
    });
  }

  async *run(): AsyncGenerator<TreeBlock> {
    const { signal } = this.#request;
    const wake = (): void => this.#intake.wake.wake();
    signal.addEventListener('abort', wake, { once: true });
    const timer = setInterval(wake, 100);
    try {
      for (;;) {
        if (signal.aborted) throw new Fault('cancelled', 'cancelled', 'the fetch was cancelled');
        const blocks = this.#intake.drain();
        for (const block of blocks) {
          yield block;
          this.#intake.taken(block.bytes.length);
        }
        // More may have come, the end too, while the consumer had these.
        if (blocks.length > 0) continue;
        if (this.#failed !== undefined) throw this.#failed;
        if (this.#whole) return;
        this.#advance();
        await this.#intake.wake.sleep();
      }
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', wake);
    }
  }

  end(): void {
    this.#ended.abort();
    for (const sender of this.#senders.values()) sender.cancel();
    this.#senders.clear();
  }

  /** Begins with the next station where none sends, or those that do send nothing for long. */
  #advance(): void {
    const { scheduler, clock, settings } = this.#components;
    const now = clock.monotonic();
    if (this.#opening > 0 || this.#foreign === 'running') return;
    const { peers } = this.#request;
    const only = peers === undefined || peers.length === 0 ? undefined : new Set(peers);
    const stations = scheduler.stations(only);
    // The caller's order stands for what it knows of them.
    if (peers !== undefined && only !== undefined) {
      stations.sort((a, b) => peers.indexOf(a.peer) - peers.indexOf(b.peer));
    }
    const untried = stations.filter((station) => !this.#tried.has(station.peer));
    const next = untried.find(({ peer }) => !this.#failures.has(peer)) ?? untried[0];
    const slow = [...this.#senders.values()].every(
      ({ station }) =>
        now - Math.max(station.receivedAt, this.#startedAt) >
        Math.max(LEAST_PATIENCE_MS, 4 * (station.gauge.latency ?? 0)),
    );
    if (next !== undefined && slow && this.#senders.size < 2) {
      this.#tried.add(next.peer);
      this.#opening++;
      this.#startedAt = now;
      void this.#start(next);
      return;
    }
    if (this.#senders.size > 0 || next !== undefined) return;
    if (this.#foreign === 'no' && this.#components.bitswap !== undefined && only === undefined) {
      this.#foreign = 'running';
      void this.#walkForeign();
      return;
    }
    // A station may still come, unless those that were asked have all said that they cannot.
    if (this.#tried.size > 0 || now - this.#startedAt >= settings.waitMs) this.#failed = this.#nobody();
  }

  async #start(station: PeerStation): Promise<void> {
    const { clock } = this.#components;
    const { root, path, have } = this.#request;
    const open = await station.ready(clock.monotonic()).catch(() => false);
    this.#opening--;
    if (!open) this.#again(station.peer);
    if (open && !this.#ended.signal.aborted) {
      const sender = station.tree(
        {
          root: root.bytes,
          path,
          platform: this.#platform,
          level: station.gauge.level(false),
          have: have.slice(0, MAX_TREE_HAVE).map((cid) => cid.bytes),
        },
        {
          blocks: (cids, blocks) => this.#take(station.peer, cids, blocks),
          end: (fault) => this.#end(station.peer, fault),
        },
      );
      this.#senders.set(station.peer, { station, ...sender });
    }
    this.#intake.wake.wake();
  }

  #take(peer: string, cids: readonly CID[], blocks: readonly Uint8Array[]): void {
    if (this.#ended.signal.aborted) return;
    try {
      let plain = 0;
      for (let i = 0; i < cids.length; i++) {
        plain += blocks[i]!.length;
        this.#intake.accept(cids[i]!, blocks[i]!, peer);
      }
      this.#components.traffic.addReceived(peer, plain, 0);
    } catch (thrown) {
      const fault = toFault(thrown);
      this.#senders.get(peer)?.cancel();
      this.#senders.delete(peer);
      if (fault.kind === 'corrupt') {
        this.#faults.push(fault);
        this.#components.scheduler.drop(peer, `sent a tree that is wrong: ${fault.message}`);
      } else {
        this.#failed = fault;
      }
      this.#intake.wake.wake();
    }
  }

  #end(peer: string, fault: Fault | undefined): void {
    this.#senders.delete(peer);
    // An end without so much as the root is no answer.
    if (fault === undefined && this.#intake.accepted > 0) this.#whole = true;
    else if (fault?.kind === 'unavailable' && fault.code !== 'no-block') this.#again(peer);
    else if (fault !== undefined) this.#faults.push(fault);
    this.#intake.wake.wake();
  }

  /** A lane that failed says nothing of what the peer has: it is tried again, a few times. */
  #again(peer: string): void {
    const failures = (this.#failures.get(peer) ?? 0) + 1;
    this.#failures.set(peer, failures);
    if (failures < MAX_FAILURES) this.#tried.delete(peer);
  }

  async #walkForeign(): Promise<void> {
    const { blocks, settings } = this.#components;
    const { root, path, have, signal } = this.#request;
    const selection: TreeSelection = {
      root,
      path,
      platform: this.#platform,
      have: new Set(have.map((cid) => cid.toString())),
    };
    const ended = AbortSignal.any([signal, this.#ended.signal]);
    try {
      await walkTree(selection, {
        width: FOREIGN_WIDTH,
        get: async (cid) =>
          (await blocks.get(cid)) ?? (await foreignBlock(cid, this.#components, settings, ended)),
        emit: async (cid, bytes) => {
          this.#intake.accept(cid, bytes, 'bitswap');
          while (this.#intake.full && !ended.aborted) await new Promise((resolve) => setTimeout(resolve, 10));
        },
      });
      this.#whole = true;
    } catch (thrown) {
      const fault = toFault(thrown);
      if (fault.kind === 'not-found' || fault.kind === 'corrupt' || fault.kind === 'invalid') {
        this.#failed = fault;
      } else {
        this.#faults.push(fault);
      }
    }
    this.#foreign = 'done';
    this.#intake.wake.wake();
  }

  /** What all that were asked said, if it is one thing about the root; else that nobody has it. */
  #nobody(): Fault {
    const absent = this.#faults.find((fault) => fault.kind === 'not-found');
    if (absent !== undefined && this.#faults.every((fault) => fault.kind === 'not-found')) return absent;
    const peers = [...this.#tried];
    const named = this.#faults.findLast((fault) => typeof fault.fields['block'] === 'string');
    const block = String(named?.fields['block'] ?? this.#request.root);
    const who =
      peers.length === 0 ? 'no station is connected that may be asked' : `asked: ${peers.join(', ')}`;
    return new Fault('unavailable', 'no-peer-has-block', `no peer gives block ${block} (${who})`, {
      fields: { block, peers },
      cause: this.#faults.at(-1),
    });
  }
}
