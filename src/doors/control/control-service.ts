import type { Readable } from 'node:stream';
import type { ExportRequest, GcRequest, PullRequest, PushRequest } from '../../observe/control/requests.ts';
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
  /** Begins the stop and answers at once; the process ends behind it. */
  stop(): Promise<{ readonly pid: number }>;
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
  debugDag(cid: string, signal: AbortSignal): Promise<DagView>;
  debugLayer(cid: string, signal: AbortSignal): Promise<LayerDump>;
}

export interface ExportedTar {
  readonly stream: Readable;
  /** Exact bytes of the stream, where known: sent as Content-Length. */
  readonly size?: number;
}
