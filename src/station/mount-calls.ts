import type { Readable } from 'node:stream';
import { Fault } from '../base/fault.ts';
import type { ControlService, OperationCall } from '../doors/control/control-service.ts';
import { PROFILE_LIMITS } from '../image/profile/start-up-profile.ts';
import type { MountsView, PrepareResult, ProfileView } from '../observe/control/mount-views.ts';
import type { PrepareRequest } from '../observe/control/requests.ts';
import type { Store } from '../store/store.ts';
import type { LazyImages, MountableImage } from '../transfer/lazy/lazy-images.ts';
import type { ProfileView as KnownProfile, Profiles } from '../transfer/lazy/profiles.ts';
import { findManifestRoot } from './manifest-lookup.ts';
import { fuseDebugView, lazyImageView, lazyImageViews, mountServerView, mountView } from './mount-views.ts';
import type { MountService, MountServiceStatus, StationMount } from './mounts/mount-service.ts';
import type { Operations } from './operations.ts';

export interface MountCallsComponents {
  readonly store: Store;
  readonly lazy: LazyImages & { readonly profiles: Profiles };
  readonly mounts: MountService;
  readonly operations: Operations;
}

export interface MountCallsSettings {
  /** This machine's, `os/arch[/variant]`. */
  readonly platform: string;
}

/** The part of the control door's service that is about images that are used before they are here. */
export type MountCalls = Pick<
  ControlService,
  | 'prepare'
  | 'mount'
  | 'unmount'
  | 'mounts'
  | 'profile'
  | 'profileExport'
  | 'profileImport'
  | 'profileForget'
  | 'debugFuse'
>;

/** How long the mount server may take to say how it is. */
const ANSWER_MS = 3_000;

export function createMountCalls(components: MountCallsComponents, settings: MountCallsSettings): MountCalls {
  const { store, lazy, mounts, operations } = components;
  const { profiles } = lazy;

  const open = (request: PrepareRequest, { onProgress, signal }: OperationCall): Promise<MountableImage> =>
    operations.run('open', request.reference, signal, onProgress, (listener) => {
      const { reference, platform, from } = request;
      return lazy.open({
        reference,
        ...(platform === undefined ? {} : { platform }),
        ...(from === undefined ? {} : { from }),
        onProgress: listener,
        signal,
      });
    });

  const prepared = (image: MountableImage): PrepareResult => {
    const { bytes, here, profile } = lazyImageView(store, lazy, image.key);
    const { address, imageRoot, imageId, platform, names, complete, key } = image;
    return {
      address,
      imageRoot,
      manifestRoot: key,
      imageId,
      platform,
      names,
      complete,
      bytes,
      here,
      profile,
    };
  };

  const keyOf = ({ image, platform }: { readonly image: string; readonly platform?: string }): string =>
    findManifestRoot(store, lazy, image, platform ?? settings.platform);

  const known = (key: string, image: string): ProfileView => {
    const profile = profiles.profile(key);
    if (profile !== undefined) return profileView(profile);
    throw new Fault(
      'not-found',
      'no-profile',
      `no start-up profile of ${image} is known yet: mount it once`,
      {
        fields: { image, manifestRoot: key },
      },
    );
  };

  return {
    prepare: async (request, call) => prepared(await open(request, call)),
    async mount(request, call) {
      const { target, writable = false, suid = false, dev = false } = request;
      // Beside the round trips to peers: two processes may have to be started. Where there can be no mount, nothing is
      // fetched for one.
      const unable = new AbortController();
      const ensured = mounts.ensure(call.signal).catch((error) => {
        unable.abort(error);
        throw error;
      });
      const signal = AbortSignal.any([call.signal, unable.signal]);
      const [image] = await Promise.all([open(request, { ...call, signal }), ensured]);
      const before = prepared(image);
      const options = { writable, suid, dev, recording: lazy.recording(image.key) };
      const mount = await mounts.mount(image, target, options, call.signal);
      const view = mountView(mount, lazyImageView(store, lazy, image.key), await mounts.status());
      return {
        ...before,
        target: mount.target,
        writable,
        ...(mount.upper === undefined ? {} : { upper: mount.upper }),
        mode: view.mode,
        ...(view.modeWhy === undefined ? {} : { modeWhy: view.modeWhy }),
      };
    },
    unmount({ target, lazy: detached = false, keep = false }, signal) {
      return mounts.unmount(target, { lazy: detached, keep }, signal);
    },
    mounts: () => mountsView(components),
    profile: async (request) => known(keyOf(request), request.image),
    async profileExport(request) {
      const key = keyOf(request);
      known(key, request.image);
      const bytes = await profiles.exportProfile(key);
      return { manifestRoot: key, content: Buffer.from(bytes).toString('base64') };
    },
    async profileImport(file, request) {
      const key = keyOf(request);
      return profileView(await profiles.importProfile(key, await readProfile(file)));
    },
    async profileForget(request) {
      const key = keyOf(request);
      const forgotten = known(key, request.image);
      await profiles.forgetProfile(key);
      return forgotten;
    },
    debugFuse: async () => fuseDebugView(...(await Promise.all([mounts.status(), mounts.frames()]))),
  };
}

async function mountsView({
  store,
  lazy,
  mounts,
}: Pick<MountCallsComponents, 'store' | 'lazy' | 'mounts'>): Promise<MountsView> {
  const [status, all] = await Promise.all([
    inTime<MountServiceStatus>(mounts.status(), { why: 'the mount server does not answer' }),
    inTime<readonly StationMount[]>(mounts.list(), []),
  ]);
  const server = mountServerView(status);
  return {
    ...(server === undefined ? {} : { server }),
    mounts: all.map((mount) => mountView(mount, lazyImageView(store, lazy, mount.key), status)),
    lazy: lazyImageViews(lazy),
  };
}

/** A status is no place to wait for a process that hangs, nor to fail for one. */
async function inTime<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const late = setTimeout(resolve, ANSWER_MS, otherwise);
  try {
    return await Promise.race([answer.catch(() => otherwise), promise]);
  } finally {
    clearTimeout(late);
  }
}

function profileView({ key, ...profile }: KnownProfile): ProfileView {
  return { manifestRoot: key, ...profile };
}

async function readProfile(file: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of file as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > PROFILE_LIMITS.bytes) {
      throw new Fault(
        'corrupt',
        'bad-profile',
        `this is no start-up profile: those have at most ${PROFILE_LIMITS.bytes} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
