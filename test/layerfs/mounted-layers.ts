import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDeferredReplies } from '../../src/fuse/deferred-replies.ts';
import { createDeviceChannel } from '../../src/fuse/device-channel.ts';
import type { SessionTerms } from '../../src/fuse/session-terms.ts';
import { createMissingAnswers } from '../../src/layerfs/answer-missing.ts';
import type { LayerfsCommand, LayerfsEvent } from '../../src/layerfs/chain-messages.ts';
import type { MissingContent } from '../../src/layerfs/missing-content.ts';
import type { Logger } from '../../src/observe/logger.ts';
import { type FuseThread, startFuseThread } from '../../src/station/mount-server/fuse-thread.ts';
import { UNANSWERED_BYTES } from '../../src/station/mount-server/unanswered-file.ts';

/** A store's layers behind a real FUSE mount, served by a thread of this process. */
export interface MountedLayers extends AsyncDisposable {
  /** Where FUSE is mounted. Only asynchronous calls may look into it: this thread answers what is missing. */
  readonly path: string;
  /** A folder beside it. */
  readonly folder: string;
  readonly log: string[];
  readonly events: LayerfsEvent[];
  command(command: LayerfsCommand): Promise<void>;
  /** The serving thread ends, another one takes over, with nothing but what is on disk. */
  serveAnew(): Promise<void>;
  /** Opens by kind, as the last event of the chain told. */
  opens(key: string): Promise<{ readonly passthrough: number; readonly read: number }>;
}

export interface MountLayersOptions {
  /** The store's root. */
  readonly root: string;
  readonly passthrough?: boolean;
  readonly wholeAtOpen?: number;
  /** Default: nothing ever comes. */
  readonly want?: (missing: MissingContent, signal: AbortSignal) => Promise<{ complete: boolean }>;
  readonly first: readonly LayerfsCommand[];
}

export async function mountLayers(folder: string, options: MountLayersOptions): Promise<MountedLayers> {
  const path = join(folder, 'fuse');
  const run = join(folder, 'run');
  for (const each of [path, run]) mkdirSync(each);
  const device = openSync('/dev/fuse', 'r+');
  const mountOptions =
    'fd=3,ro,nosuid,nodev,allow_other,default_permissions,rootmode=40000,user_id=0,group_id=0';
  const mounted = spawnSync('mount', ['-i', '-t', 'fuse.shp-test', '-o', mountOptions, 'shp-test', path], {
    stdio: ['ignore', 'ignore', 'inherit', device],
  });
  if (mounted.status !== 0) throw new Error('mount failed');
  const log: string[] = [];
  const events: LayerfsEvent[] = [];
  const say = (_: object, message: string): void => void log.push(message);
  const logger: Logger = { debug: () => {}, info: say, warn: say, error: say, child: () => logger };
  let terms: SessionTerms | undefined;
  let thread: FuseThread;
  const known: LayerfsCommand[] = [...options.first];
  const answers = createMissingAnswers(
    {
      replies: createDeferredReplies(createDeviceChannel(device)),
      want: options.want ?? (async ({ path: missing }) => Promise.reject(new Error(`nobody has ${missing}`))),
      command: (command) => thread.command(command),
      logger,
      now: Date.now,
    },
    { root: options.root },
  );
  const serve = (resumed: boolean): FuseThread =>
    startFuseThread(
      {
        onEvent(event) {
          if (event.tell === 'missing') answers.take(event.missing);
          else if (event.tell === 'interrupt') answers.interrupt(event.request);
          else events.push(event);
        },
        onTerms: (agreed) => {
          terms = agreed;
        },
        logger,
      },
      {
        device,
        root: options.root,
        opens: join(run, 'opens'),
        session: join(run, 'session.json'),
        resumed,
        resend: true,
        unanswered: join(run, 'unanswered'),
        unansweredMemory: new SharedArrayBuffer(UNANSWERED_BYTES),
        ...(resumed && terms !== undefined && { terms }),
        wholeAtOpen: options.wholeAtOpen ?? 1 << 20,
        passthrough: options.passthrough ?? true,
        mountpoint: path,
        first: known,
      },
    );
  thread = serve(false);
  // Not by a stat of the mount: it would wait for ever for a thread that did not start.
  const mountLine = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[4] === path);
  const connection = `/sys/fs/fuse/connections/${mountLine?.split(' ')[2]?.split(':')[1]}`;
  const mount: MountedLayers = {
    path,
    folder,
    log,
    events,
    async command(command) {
      known.push(command);
      thread.command(command);
      await thread.wake();
    },
    async serveAnew() {
      const { served } = thread;
      await thread.drain();
      await served;
      thread = serve(true);
      await thread.wake();
    },
    async opens(key) {
      await thread.wake();
      const told = events.findLast((event) => event.tell === 'opens' && event.key === key);
      return told?.tell === 'opens' ? told : { passthrough: 0, read: 0 };
    },
    async [Symbol.asyncDispose]() {
      answers.close();
      spawnSync('umount', ['-l', path], { stdio: 'ignore' });
      try {
        writeFileSync(`${connection}/abort`, '1');
      } catch {
        // Nothing held it: the connection is gone already.
      }
      await thread.served;
      closeSync(device);
    },
  };
  return mount;
}
