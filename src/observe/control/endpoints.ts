import type {
  FuseDebugView,
  MountResult,
  MountsView,
  PrepareResult,
  ProfileFile,
  ProfileView,
  StopResult,
  UnmountResult,
} from './mount-views.ts';
import type {
  BlockRequest,
  ConnectRequest,
  ExportRequest,
  GcRequest,
  ImageRequest,
  MountRequest,
  PeerRequest,
  PrepareRequest,
  ProfileRequest,
  PullRequest,
  PushRequest,
  StopRequest,
  UnmountRequest,
} from './requests.ts';
import type {
  DagView,
  GcResult,
  ImageDetail,
  ImageSummary,
  LayerDump,
  NetworkView,
  PeerView,
  PullResult,
  PushResult,
  RemoveResult,
  StationStatus,
  VerifyResult,
} from './views.ts';

/**
 * How an endpoint answers. `json`: one document. `events`: one JSON line an event (`OperationEvent`), the last one
 * is `result` or `fault`. `tar`: raw bytes; a stream that fails is cut, never ended cleanly.
 */
export type AnswerKind = 'json' | 'events' | 'tar';

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly answer: AnswerKind;
  /**
   * Where the request stands: `none`; `body`, a JSON body of at most 64 KiB; `header`, the same JSON, percent-encoded,
   * in `Shp-Request`, where the body is a tar (or a file's bytes) or there is none.
   */
  readonly request: 'none' | 'body' | 'header';
}

/** The request's JSON where the body is something else, percent-encoded (header values are Latin-1). */
export const REQUEST_HEADER = 'shp-request';
export const EVENTS_TYPE = 'application/x-ndjson';
export const TAR_TYPE = 'application/x-tar';
/** The most bytes that a request's JSON may have. */
export const MAX_REQUEST = 64 * 1024;

/** The protocol between the command line and the station: HTTP/1.1 on `<root>/control.sock`. */
export const ENDPOINTS = {
  status: { method: 'GET', path: '/v1/status', answer: 'json', request: 'none' },
  stop: { method: 'POST', path: '/v1/stop', answer: 'json', request: 'body' },
  addrs: { method: 'GET', path: '/v1/addrs', answer: 'json', request: 'none' },
  peers: { method: 'GET', path: '/v1/peers', answer: 'json', request: 'none' },
  connect: { method: 'POST', path: '/v1/peers', answer: 'json', request: 'body' },
  network: { method: 'GET', path: '/v1/network', answer: 'json', request: 'none' },
  trustList: { method: 'GET', path: '/v1/trust', answer: 'json', request: 'none' },
  trustAdd: { method: 'POST', path: '/v1/trust', answer: 'json', request: 'body' },
  trustRemove: { method: 'DELETE', path: '/v1/trust', answer: 'json', request: 'header' },
  images: { method: 'GET', path: '/v1/images', answer: 'json', request: 'none' },
  inspect: { method: 'GET', path: '/v1/image', answer: 'json', request: 'header' },
  remove: { method: 'DELETE', path: '/v1/image', answer: 'json', request: 'header' },
  gc: { method: 'POST', path: '/v1/gc', answer: 'json', request: 'body' },
  verify: { method: 'POST', path: '/v1/verify', answer: 'events', request: 'body' },
  push: { method: 'POST', path: '/v1/push', answer: 'events', request: 'header' },
  pull: { method: 'POST', path: '/v1/pull', answer: 'events', request: 'body' },
  export: { method: 'GET', path: '/v1/export', answer: 'tar', request: 'header' },
  prepare: { method: 'POST', path: '/v1/prepare', answer: 'events', request: 'body' },
  mount: { method: 'POST', path: '/v1/mounts', answer: 'events', request: 'body' },
  mounts: { method: 'GET', path: '/v1/mounts', answer: 'json', request: 'none' },
  unmount: { method: 'DELETE', path: '/v1/mounts', answer: 'json', request: 'header' },
  profile: { method: 'GET', path: '/v1/profile', answer: 'json', request: 'header' },
  profileExport: { method: 'GET', path: '/v1/profile/file', answer: 'json', request: 'header' },
  profileImport: { method: 'POST', path: '/v1/profile', answer: 'events', request: 'header' },
  profileForget: { method: 'DELETE', path: '/v1/profile', answer: 'json', request: 'header' },
  debugDag: { method: 'GET', path: '/v1/debug/dag', answer: 'json', request: 'header' },
  debugLayer: { method: 'GET', path: '/v1/debug/layer', answer: 'json', request: 'header' },
  debugFuse: { method: 'GET', path: '/v1/debug/fuse', answer: 'json', request: 'none' },
} as const satisfies Readonly<Record<string, Endpoint>>;

export type EndpointName = keyof typeof ENDPOINTS;

/** What each endpoint is asked and what it answers (`events`: as its result; `tar`: nothing but the bytes). */
export interface EndpointTypes {
  status: { request: undefined; result: StationStatus };
  stop: { request: StopRequest; result: StopResult };
  addrs: { request: undefined; result: readonly string[] };
  peers: { request: undefined; result: readonly PeerView[] };
  connect: { request: ConnectRequest; result: { readonly peer: string } };
  network: { request: undefined; result: NetworkView };
  trustList: { request: undefined; result: readonly string[] };
  trustAdd: { request: PeerRequest; result: readonly string[] };
  trustRemove: { request: PeerRequest; result: readonly string[] };
  images: { request: undefined; result: readonly ImageSummary[] };
  inspect: { request: ImageRequest; result: ImageDetail };
  remove: { request: ImageRequest; result: RemoveResult };
  gc: { request: GcRequest; result: GcResult };
  verify: { request: ImageRequest; result: VerifyResult };
  push: { request: PushRequest; result: PushResult };
  pull: { request: PullRequest; result: PullResult };
  export: { request: ExportRequest; result: undefined };
  prepare: { request: PrepareRequest; result: PrepareResult };
  mount: { request: MountRequest; result: MountResult };
  mounts: { request: undefined; result: MountsView };
  unmount: { request: UnmountRequest; result: UnmountResult };
  profile: { request: ProfileRequest; result: ProfileView };
  profileExport: { request: ProfileRequest; result: ProfileFile };
  profileImport: { request: ProfileRequest; result: ProfileView };
  profileForget: { request: ProfileRequest; result: ProfileView };
  debugDag: { request: BlockRequest; result: DagView };
  debugLayer: { request: BlockRequest; result: LayerDump };
  debugFuse: { request: undefined; result: FuseDebugView };
}

export type EndpointsOf<Kind extends AnswerKind> = {
  [Name in EndpointName]: (typeof ENDPOINTS)[Name]['answer'] extends Kind ? Name : never;
}[EndpointName];
