import type { FuseFrames } from '../mounts/link/link-messages.ts';
import type {
  FuseDebugView,
  LazyImageView,
  MountServerView,
  MountView,
  ReadsView,
} from '../observe/control/mount-views.ts';
import type { Store } from '../store/store.ts';
import type { LazyImages, MountableImage } from '../transfer/lazy/lazy-images.ts';
import type { MountServiceStatus, StationMount } from './mounts/mount-service.ts';

type Images = Pick<LazyImages, 'list' | 'get'>;

/** All images that are used before they are here. */
export function lazyImageViews(images: Images): LazyImageView[] {
  return images.list().map(({ key, ...view }) => ({
    manifestRoot: key,
    ...imageIdOf(images.get(key)),
    ...view,
  }));
}

/** One of them; an image that came whole long ago is told from its record. */
export function lazyImageView(store: Store, images: Images, key: string): LazyImageView {
  const found = lazyImageViews(images).find(({ manifestRoot }) => manifestRoot === key);
  if (found !== undefined) return found;
  const image = images.get(key);
  const record = image === undefined ? undefined : store.images.get(image.imageRoot);
  const bytes = record?.contentSize ?? 0;
  return {
    manifestRoot: key,
    imageRoot: image?.imageRoot ?? '',
    ...imageIdOf(image),
    names: image?.names ?? [],
    bytes,
    here: bytes,
    state: 'complete',
    byPeer: {},
    profile: 'here',
    wireBytes: 0,
  };
}

function imageIdOf(image: MountableImage | undefined): Pick<LazyImageView, 'imageId'> {
  return image === undefined ? {} : { imageId: image.imageId };
}

export function mountServerView({ keeper, server, why }: MountServiceStatus): MountServerView | undefined {
  if (keeper === undefined && server === undefined && why === undefined) return undefined;
  const mountServer = server?.pid ?? keeper?.mountServer;
  return {
    ...(keeper === undefined ? {} : { keeper: keeper.pid }),
    ...(mountServer === undefined ? {} : { mountServer }),
    restarts: keeper?.mountServerRestarts ?? 0,
    memory: server?.memory ?? 0,
    protocol: server?.protocol ?? '',
    passthrough: server?.passthrough ?? false,
    ...(server?.passthroughWhy === undefined ? {} : { passthroughWhy: server.passthroughWhy }),
    resend: server?.resend ?? false,
    ...(why === undefined ? {} : { why }),
  };
}

export function mountView(
  mount: StationMount,
  image: LazyImageView,
  { server, why }: MountServiceStatus,
): MountView {
  const { target, mountedAt, suid, dev, upper, gone } = mount;
  const chain = server?.chains.find(({ key }) => key === mount.key);
  const modeWhy = server?.passthroughWhy ?? (server === undefined ? why : undefined);
  return {
    target,
    image,
    mountedAt,
    writable: upper !== undefined,
    ...(upper === undefined ? {} : { upper }),
    suid,
    dev,
    ...(gone === true ? { gone } : {}),
    mode: server?.passthrough === true ? 'passthrough' : 'read',
    ...(modeWhy === undefined ? {} : { modeWhy }),
    ...(chain === undefined ? {} : { reads: readsView(chain) }),
  };
}

export function fuseDebugView(status: MountServiceStatus, frames?: FuseFrames): FuseDebugView {
  const server = mountServerView(status);
  return {
    ...(server === undefined ? {} : { server }),
    chains: (status.server?.chains ?? []).map((chain) => ({
      key: chain.key,
      mounts: chain.mounts,
      complete: chain.complete,
      ...readsView(chain),
    })),
    operations: frames?.operations ?? {},
    trace: frames?.trace ?? [],
    ...(frames === undefined ? {} : { traced: frames.kept }),
  };
}

function readsView(reads: ReadsView): ReadsView {
  const { waited, waitP50, waitP99, waiting, failed, passthroughOpens, readOpens } = reads;
  return { waited, waitP50, waitP99, waiting, failed, passthroughOpens, readOpens };
}
