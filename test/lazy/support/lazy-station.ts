import type { OpenSwarmSettings } from '../../../src/swarm/open-swarm.ts';
import { createLazyImages } from '../../../src/transfer/lazy/create-lazy-images.ts';
import type { LazyImages, LazyOpenOptions, LazyView } from '../../../src/transfer/lazy/lazy-images.ts';
import type { LazySettings } from '../../../src/transfer/lazy/lazy-settings.ts';
import type { Profiles } from '../../../src/transfer/lazy/profiles.ts';
import type { TransferSettings } from '../../../src/transfer/transfer-components.ts';
import { type TransferStation, transferStation } from '../../transfer/support/two-stations.ts';
import { lazySettings } from './default-settings.ts';
import { type LogLine, recordingLogger } from './recording-logger.ts';

export interface LazyStationOptions {
  readonly lazy?: Partial<LazySettings>;
  readonly transfer?: Partial<TransferSettings>;
  readonly swarm?: Partial<OpenSwarmSettings>;
  readonly network?: 'public' | 'private';
}

/** A station with the lazy images of the product beside it. */
export interface LazyStation extends AsyncDisposable {
  readonly station: TransferStation;
  readonly lazy: LazyImages & { readonly profiles: Profiles };
  /** Keys of which the listeners were told, in order. */
  readonly changes: string[];
  /** What the lazy images logged. */
  readonly log: readonly LogLine[];
  open(reference: string, options?: Partial<LazyOpenOptions>): ReturnType<LazyImages['open']>;
  view(key: string): LazyView | undefined;
  /** Resolves when the image is in this state. */
  reaches(key: string, state: LazyView['state']): Promise<LazyView>;
  /** Plain bytes that came from a station. */
  received(from: TransferStation): number;
  restart(more?: Partial<LazySettings>): Promise<void>;
}

export async function lazyStation(options: LazyStationOptions = {}): Promise<LazyStation> {
  const { lazy: given, ...rest } = options;
  const station = await transferStation(rest);
  const changes: string[] = [];
  const logger = recordingLogger();
  const create = (more: Partial<LazySettings> = {}) => {
    const made = createLazyImages(
      { ...station.components, logger },
      {
        ...lazySettings,
        ...given,
        ...more,
        get share() {
          return station.settings.share;
        },
        get reserveBytes() {
          return station.settings.reserveBytes;
        },
        root: station.settings.root,
        keepBlobs: station.settings.keepBlobs,
        platform: station.settings.platform,
        limits: station.settings.limits,
      },
    );
    made.onChange((key) => changes.push(key));
    return made;
  };
  let lazy = create();
  return {
    station,
    changes,
    log: logger.lines,
    get lazy() {
      return lazy;
    },
    open: (reference, more = {}) =>
      lazy.open({ reference, onProgress: () => {}, signal: AbortSignal.timeout(60_000), ...more }),
    view: (key) => lazy.list().find((view) => view.key === key),
    async reaches(key, state) {
      for (;;) {
        const view = lazy.list().find((one) => one.key === key);
        if (view?.state === state) return view;
        if (view?.state === 'quarantined' || view?.state === 'complete') {
          throw new Error(`${key} is ${view.state}: ${view.why}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    received: (from) => station.swarm.peers().find(({ id }) => id === from.id)?.received ?? 0,
    async restart(more) {
      await lazy.stop();
      await station.restart();
      lazy = create(more);
    },
    async [Symbol.asyncDispose]() {
      await lazy.stop();
      await station[Symbol.asyncDispose]();
    },
  };
}

/** A station that has images, and one that opens them. */
export async function lazyPair(options: LazyStationOptions = {}) {
  const source = await transferStation(options);
  const b = await lazyStation(options);
  await b.station.connect(source);
  return {
    source,
    b,
    async [Symbol.asyncDispose]() {
      await b[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}
