import type { Readable } from 'node:stream';
import type {
  FuseDebugView,
  MountResult,
  MountsView,
  PrepareResult,
  ProfileFile,
  ProfileView,
  StopResult,
  UnmountResult,
} from '../../observe/control/mount-views.ts';
import type {
  ExportRequest,
  GcRequest,
  MountRequest,
  PrepareRequest,
  ProfileRequest,
  PullRequest,
  PushRequest,
  StopRequest,
  UnmountRequest,
} from '../../observe/control/requests.ts';
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
} from '../../observe/control/views.ts';
import type { ProgressListener } from '../../observe/progress.ts';

/** An operation that reports while it works. The signal aborts when the client goes away. */
export interface OperationCall {
  readonly onProgress: ProgressListener;
  readonly signal: AbortSignal;
}

/**
 * What the control door asks of the station; the station plugs the real services in. Every method throws Faults, and
 * ends soon after its signal aborts. `image` is any reference to an image that is here: the CID of its root, an id
 * prefix, a name.
 */
export interface ControlService {
  status(): Promise<StationStatus>;
  /**
   * Begins the stop and answers at once; the process ends behind it. With `all` what serves mounts has ended by then.
   * @throws Fault `busy/mounts-in-use` for `all` without `force` while anything is mounted: nothing is stopped
   */
  stop(request: StopRequest, signal: AbortSignal): Promise<StopResult>;
  addrs(): Promise<readonly string[]>;
  peers(): Promise<readonly PeerView[]>;
  connect(addr: string, signal: AbortSignal): Promise<{ readonly peer: string }>;
  network(): Promise<NetworkView>;
  /** All three answer the trusted peer ids, first trusted most. */
  trustList(): Promise<readonly string[]>;
  trustAdd(peer: string): Promise<readonly string[]>;
  trustRemove(peer: string): Promise<readonly string[]>;
  images(): Promise<readonly ImageSummary[]>;
  inspect(image: string): Promise<ImageDetail>;
  remove(image: string): Promise<RemoveResult>;
  gc(request: GcRequest, signal: AbortSignal): Promise<GcResult>;
  verify(image: string, call: OperationCall): Promise<VerifyResult>;
  /**
   * @param archive a docker-archive or OCI layout as a tar, in any order of its entries; the callee need not read what
   *   it does not want. It errors when the client goes away before its end.
   */
  push(archive: Readable, request: PushRequest, call: OperationCall): Promise<PushResult>;
  pull(request: PullRequest, call: OperationCall): Promise<PullResult>;
  /** Resolves once the image is found and the first byte can be made; the stream is destroyed when the client goes away. */
  export(request: ExportRequest, signal: AbortSignal): Promise<ExportedTar>;
  /** Resolves once the image could be mounted; its content follows by itself. */
  prepare(request: PrepareRequest, call: OperationCall): Promise<PrepareResult>;
  /** Resolves once the directory shows the image. */
  mount(request: MountRequest, call: OperationCall): Promise<MountResult>;
  unmount(request: UnmountRequest, signal: AbortSignal): Promise<UnmountResult>;
  mounts(): Promise<MountsView>;
  profile(request: ProfileRequest): Promise<ProfileView>;
  profileExport(request: ProfileRequest): Promise<ProfileFile>;
  /** @param file the bytes of an exported profile */
  profileImport(file: Readable, request: ProfileRequest, call: OperationCall): Promise<ProfileView>;
  /** Answers what it was. */
  profileForget(request: ProfileRequest): Promise<ProfileView>;
  debugFuse(): Promise<FuseDebugView>;
  debugDag(cid: string, signal: AbortSignal): Promise<DagView>;
  debugLayer(cid: string, signal: AbortSignal): Promise<LayerDump>;
}

export interface ExportedTar {
  readonly stream: Readable;
  /** Exact bytes of the stream, where known: sent as Content-Length. */
  readonly size?: number;
}
