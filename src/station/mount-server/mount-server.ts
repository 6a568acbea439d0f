import type { Clock } from '../../base/clock.ts';
import { Fault, toFault } from '../../base/fault.ts';
import { VERSION } from '../../config/version.ts';
import type { SessionEnd } from '../../fuse/session.ts';
import { parseSessionTerms, type SessionTerms } from '../../fuse/session-terms.ts';
import type { MountSettings } from '../../keeper/mount-settings.ts';
import type { RunLayout } from '../../keeper/run-layout.ts';
import { createMissingAnswers } from '../../layerfs/answer-missing.ts';
import type { LayerfsCommand, LayerfsEvent } from '../../layerfs/chain-messages.ts';
import type { ChainSpec, ChainStatistics, MountServerStatus } from '../../mounts/link/link-messages.ts';
import { openLinkServer } from '../../mounts/link/link-server.ts';
import { mountAt, readMountInfo } from '../../mounts/mountinfo.ts';
import type { Logger } from '../../observe/logger.ts';
import { setReadahead } from '../../syscalls/bdi-readahead.ts';
import type { Syscalls } from '../../syscalls/syscalls.ts';
import { type BookedChain, openChainBook } from './chain-book.ts';
import { createFuseDebug } from './fuse-debug.ts';
import { startFuseThread } from './fuse-thread.ts';
import { createKernelReplies } from './kernel-replies.ts';
import { openOverlayBook } from './overlay-book.ts';
import { readState } from './state-file.ts';
import { takeUnanswered, UNANSWERED_BYTES } from './unanswered-file.ts';

export interface MountServerComponents {
  readonly syscalls: Syscalls;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface MountServerSettings {
  /** The store's root: absolute, links resolved. */
  readonly root: string;
  readonly layout: RunLayout;
  /** The number of the open /dev/fuse. */
  readonly device: number;
  /** Another mount server served this connection before. */
  readonly resumed: boolean;
  readonly mount: MountSettings;
}

export interface MountServer {
  /** Resolves when the FUSE thread serves no more: `ended`: FUSE is unmounted; `stopped`: after {@link drain}. */
  readonly served: Promise<SessionEnd | { readonly failed: unknown }>;
  /** What is in hand is answered; what waits for content is asked again of the next mount server. */
  drain(): Promise<void>;
}

/** Of what was used first, while it is recorded. */
const REPORT_MS = 1000;

interface Opens {
  readonly passthrough: number;
  readonly read: number;
}

/** Serves the FUSE connection, the overlays on it, and the station. Listens once the kernel is answered. */
export async function openMountServer(
  components: MountServerComponents,
  settings: MountServerSettings,
): Promise<MountServer> {
  const { clock, logger } = components;
  const { root, layout, device, resumed, mount } = settings;
  const chains = openChainBook(layout.chains);
  const overlays = openOverlayBook(components, { path: layout.mounts, paths: layout });
  const opens = new Map<string, Opens>();
  let terms = resumed ? keptTerms(layout.session, logger) : undefined;
  let noPassthrough = mount.passthrough === 'off' ? 'mount.passthrough is off' : undefined;

  const isResent = (): boolean => mount.resend !== 'off' && terms?.resend === true;
  const unansweredMemory = new SharedArrayBuffer(UNANSWERED_BYTES);
  const left = isResent() || !resumed ? [] : takeUnanswered(layout.unanswered, unansweredMemory);
  const debug = createFuseDebug();
  const replies = createKernelReplies({
    device,
    frames: debug.frames,
    unanswered: layout.unanswered,
    unansweredMemory,
    isResent,
  });

  const answers = createMissingAnswers(
    {
      replies,
      want: ({ chain, layer, object, first, end, path, answer: { kind } }, signal) =>
        link.want(
          { chain, layer, object, first, end, path, ...(kind === 'ahead' && { ahead: true }) },
          signal,
        ),
      command: (command) => thread.command(command),
      logger,
      now: () => clock.monotonic(),
    },
    { root },
  );

  function onEvent(event: LayerfsEvent): void {
    switch (event.tell) {
      case 'missing':
        answers.take(event.missing);
        break;
      case 'interrupt':
        answers.interrupt(event.request);
        break;
      case 'touched':
        link.touched({ touched: event.key, ranges: event.ranges });
        break;
      case 'opens':
        opens.set(event.key, { passthrough: event.passthrough, read: event.read });
        break;
      case 'no-passthrough':
        noPassthrough = event.why;
        break;
    }
  }

  async function status(): Promise<MountServerStatus> {
    // What is counted there is told here.
    await thread.wake().catch(() => {});
    const mounts = await overlays.list();
    const count = (key: string): number => mounts.filter(({ chain, gone }) => chain === key && !gone).length;
    const isOn = noPassthrough === undefined && terms?.passthrough === true;
    return {
      pid: process.pid,
      version: VERSION,
      memory: process.memoryUsage.rss(),
      protocol: terms === undefined ? 'unknown' : `7.${terms.minor}`,
      passthrough: isOn,
      ...(isOn ? {} : { passthroughWhy: noPassthrough ?? 'the kernel has no FUSE passthrough' }),
      resend: isResent(),
      chains: chains.list().map(({ key, complete }): ChainStatistics => {
        const { passthrough = 0, read = 0 } = opens.get(key) ?? {};
        return {
          key,
          complete,
          mounts: count(key),
          ...link.statistics(key),
          passthroughOpens: passthrough,
          readOpens: read,
        };
      }),
      mounts,
    };
  }

  async function addChain(spec: ChainSpec): Promise<void> {
    const isKnown = chains.get(spec.key) !== undefined;
    for (const command of isKnown ? changes(chains.add(spec)) : firstCommands(chains.add(spec))) {
      thread.command(command);
    }
    await thread.wake();
  }

  async function forgetChain(key: string): Promise<void> {
    const mounts = await overlays.list();
    if (mounts.some(({ chain, gone }) => chain === key && gone !== true)) {
      throw new Fault('busy', 'chain-in-use', `the image ${key} is mounted`, { fields: { key } });
    }
    if (chains.get(key) === undefined) return;
    chains.forget(key);
    opens.delete(key);
    link.forget(key);
    thread.command({ do: 'forget', key });
    await thread.wake();
  }

  const begun = Promise.withResolvers<void>();
  const link = await openLinkServer(
    {
      handler: {
        // A station may be quicker than the thread that its socket is there for.
        chain: (spec) => begun.promise.then(() => addChain(spec)),
        forget: (key) => begun.promise.then(() => forgetChain(key)),
        mount: (spec, signal) => overlays.mount(spec, signal),
        unmount: (target, lazy, signal) => overlays.unmount(target, lazy, signal),
        status: () => begun.promise.then(status),
        frames: () => debug.look(),
      },
      clock,
      logger,
    },
    { path: layout.mountsSocket, version: VERSION, wait: mount.waitMs },
  );
  const thread = startFuseThread(
    {
      onEvent,
      onTerms: (agreed) => {
        terms = agreed;
      },
      logger,
    },
    {
      device,
      root,
      opens: layout.opens,
      session: layout.session,
      resumed,
      resend: mount.resend !== 'off',
      unanswered: layout.unanswered,
      unansweredMemory,
      debug,
      ...(terms === undefined ? {} : { terms }),
      wholeAtOpen: mount.wholeAtOpen,
      passthrough: mount.passthrough === 'auto',
      mountpoint: layout.fuse,
      first: chains.list().flatMap(firstCommands),
    },
  );

  begun.resolve();
  for (const missing of left) answers.take(missing);

  // INIT sets the kernel's read-ahead: ours follows behind the first answer.
  void thread
    .wake()
    .then(readMountInfo)
    .then((mounts) => mountAt(mounts, layout.fuse))
    .then((fuse) =>
      fuse === undefined ? undefined : setReadahead(fuse.device, Math.ceil(mount.readahead / 1024)),
    )
    .catch((error) => logger.info({ error: toFault(error).message }, 'the read-ahead stays as it is'));

  // What is used while it is recorded is told though no request comes behind it.
  const recorded = setInterval(() => {
    if (chains.list().some(({ recording }) => recording)) thread.wake().catch(() => {});
  }, REPORT_MS);
  void thread.served.then(() => clearInterval(recorded));

  return { served: thread.served, drain: () => thread.drain() };
}

function firstCommands(chain: BookedChain): LayerfsCommand[] {
  const { key, quarantined } = chain;
  return [
    { do: 'add', chain },
    ...(quarantined === true ? [{ do: 'quarantine', key, quarantined } as const] : []),
  ];
}

function changes({ key, complete, recording, quarantined = false }: BookedChain): LayerfsCommand[] {
  return [
    { do: 'complete', key, complete },
    { do: 'recording', key, recording },
    { do: 'quarantine', key, quarantined },
  ];
}

/** INIT is said once a connection: without its terms the kernel's next request must be INIT. */
function keptTerms(path: string, logger: Logger): SessionTerms | undefined {
  try {
    const kept = readState(path);
    return kept === undefined ? undefined : parseSessionTerms(kept);
  } catch (error) {
    logger.error({ path, error: String(error) }, 'the terms of the FUSE session cannot be read');
    return undefined;
  }
}
