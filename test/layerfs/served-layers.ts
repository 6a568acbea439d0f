import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { Fault } from '../../src/base/fault.ts';
import type { ChainRecord, LayerfsCommand, LayerfsEvent } from '../../src/layerfs/chain-messages.ts';
import { createLayerfs } from '../../src/layerfs/create-layerfs.ts';
import type { Layerfs, LayerfsSettings } from '../../src/layerfs/layerfs.ts';
import type { Logger } from '../../src/observe/logger.ts';

/** A layer filesystem without a thread or a kernel: what it is told, and what it tells. */
export interface ServedLayers {
  readonly layerfs: Layerfs;
  readonly events: LayerfsEvent[];
  /** Messages of all levels. */
  readonly log: string[];
  /** Passthrough ids that are open: id -> times. */
  readonly backing: Set<number>;
  command(command: LayerfsCommand): void;
  /** Events of a kind so far; they are taken. */
  take<Kind extends LayerfsEvent['tell']>(kind: Kind): Extract<LayerfsEvent, { tell: Kind }>[];
}

export interface ServeOptions extends Partial<LayerfsSettings> {
  readonly clock?: Clock;
  /** Errno with which passthrough fails. */
  readonly passthroughFails?: string;
}

let nextBackingId = 1;

export function serveLayers(root: string, options: ServeOptions = {}): ServedLayers {
  const { clock = systemClock, passthroughFails, ...settings } = options;
  mkdirSync(join(root, 'run'), { recursive: true });
  const events: LayerfsEvent[] = [];
  const log: string[] = [];
  const commands: LayerfsCommand[] = [];
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const backing = new Set<number>();
  const say = (_: object, message: string): void => void log.push(message);
  const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
  const layerfs = createLayerfs(
    {
      mailbox: { post: (event) => void events.push(structuredClone(event)), receive: () => commands.shift() },
      counter,
      fuseDevice: -1,
      syscalls: {
        backingOpen() {
          if (passthroughFails !== undefined) {
            throw new Fault('invalid', 'backing-open', 'ioctl failed', {
              fields: { errno: passthroughFails },
            });
          }
          const id = nextBackingId++;
          backing.add(id);
          return id;
        },
        backingClose: (_, id) => void backing.delete(id),
      },
      logger,
      clock,
    },
    { root, opens: join(root, 'run/opens'), resumed: false, wholeAtOpen: 1 << 20, ...settings },
  );
  return {
    layerfs,
    events,
    log,
    backing,
    command(command) {
      commands.push(command);
      Atomics.add(counter, 0, 1);
      layerfs.poll();
    },
    take: (kind) => {
      const taken = events.filter(({ tell }) => tell === kind);
      for (const event of taken) events.splice(events.indexOf(event), 1);
      return taken as never;
    },
  };
}

export function chainRecord(indexes: readonly string[], more: Partial<ChainRecord> = {}): ChainRecord {
  return { number: 1, key: 'chain', indexes, complete: false, recording: false, ...more };
}
