/**
 * A duplex byte stream to one peer, whatever carries it. Half-closable: each side ends its own direction.
 *
 * The end of {@link read} alone never proves that all bytes came: a carrier may end cleanly in the middle (seen with
 * @libp2p/pnet). A protocol knows its own end and treats an earlier one as a fault.
 */
export interface ByteStream {
  readonly peer: string;
  /**
   * Hands bytes over, one piece after the other (they must not change afterwards), and resolves when more may be
   * written. Rejects when the stream has ended by error or by `abort`.
   */
  write(...pieces: readonly Uint8Array[]): Promise<void>;
  /** No more bytes from this side; resolves when all are handed to the carrier. Idempotent. */
  closeWrite(): Promise<void>;
  /**
   * Chunks of any size as they come, for one reader. Not reading stops the sender (bounded buffer). Ends when the
   * peer closed its direction; throws when the stream was reset, aborted or the connection was lost. Leaving the
   * loop early does not end the stream: `abort` does.
   */
  readonly read: AsyncIterable<Uint8Array>;
  /** Ends both directions at once; pending writes and reads reject with `reason`. Idempotent. */
  abort(reason: Error): void;
}

export type StreamHandler = (stream: ByteStream, peer: string) => void;

/** What a protocol needs of the network: streams to peers by protocol id, and who is there. Peers are peer id texts. */
export interface PeerStreams {
  /**
   * Opens a stream to a connected peer (no dialling).
   * @throws Fault `unavailable/not-connected`, `unsupported/no-such-protocol`, `unavailable/stream-failed`, `cancelled`
   */
  openStream(peer: string, protocol: string, signal: AbortSignal): Promise<ByteStream>;
  /**
   * Takes inbound streams of `protocol`. What the handler throws is logged and resets the stream.
   * @param options.maxInbound streams of one connection at once; a further one is reset by libp2p without a word
   */
  handle(protocol: string, handler: StreamHandler, options: { maxInbound: number }): void;
  /** Connected peers that speak `/shp/blocks/1`, in the order of their connection. */
  connectedStations(): string[];
  /** Told when a station came (identified) or went. Returns the unsubscribe. */
  onPeer(listener: (peer: string, up: boolean) => void): () => void;
  /** Milliseconds of the last measured round trip. */
  latency(peer: string): number | undefined;
}
