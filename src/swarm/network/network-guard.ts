import { randomBytes } from 'node:crypto';
import type {
  AbortOptions,
  ConnectionProtector,
  MessageStream,
  MultiaddrConnection,
} from '@libp2p/interface';
import { byteStream } from '@libp2p/utils';
import { Fault } from '../../base/fault.ts';
import { networkFingerprint } from '../../config/network-key.ts';
import { FIRST_BYTES, GuardedConnection } from './guarded-connection.ts';
import { createSalsaStream, SALSA_NONCE_BYTES } from './salsa-stream.ts';

export interface NetworkGuardSettings {
  /** 32 bytes; absent: the public network. */
  readonly networkKey?: Uint8Array | undefined;
  /** Told of each connection that turned out to belong to another network. */
  readonly onForeign: (connection: MultiaddrConnection, fault: Fault) => void;
}

/**
 * libp2p's private network protocol (libp2p specs, pnet/Private-Networks-PSK-V1.md): each side sends a nonce of 24
 * bytes, then everything is XORed with XSalsa20. On the public network it only looks at the first bytes, so that a
 * peer with a network key is named as such instead of failing as noise.
 *
 * Ours and not @libp2p/pnet: that one loses the connection after 51 to 59 MB, and ends it as if all had come.
 */
export function createNetworkGuard(settings: NetworkGuardSettings): ConnectionProtector {
  const { networkKey: key, onForeign } = settings;
  const fingerprint = key === undefined ? undefined : networkFingerprint(key);

  return {
    async protect(stream: MessageStream, options?: AbortOptions): Promise<MessageStream> {
      // Protectors are given the transport's connection (libp2p, upgrader.ts); the interface names its base only.
      const connection = stream as MultiaddrConnection;
      const address = connection.remoteAddr.toString();
      // An inbound peer's port is another each time: named by its host, it is one refusal.
      const who = connection.direction === 'inbound' ? address.split('/tcp/')[0] : address;
      const foreign = (what: string): Fault => {
        const text =
          fingerprint === undefined
            ? `${who} ${what}; this station is on the public network, without a network key`
            : `${who} ${what}; our network key has the fingerprint ${fingerprint}`;
        const fault = new Fault('denied', 'other-network', text, {
          fields: { address, ...(fingerprint === undefined ? {} : { fingerprint }) },
        });
        onForeign(connection, fault);
        return fault;
      };
      if (key === undefined) {
        return new GuardedConnection({
          connection,
          foreign: (how) =>
            foreign(
              how === 'closed'
                ? 'closed the connection before the handshake: it is on a private network, or refuses our address'
                : 'uses a network key, or is no libp2p peer',
            ),
        });
      }
      const nonce = randomBytes(SALSA_NONCE_BYTES);
      const remoteNonce = await exchangeNonces(connection, nonce, options).catch((cause) => {
        if (options?.signal?.aborted === true) throw cause;
        throw foreign('closed the connection before the handshake: it uses another network key or none');
      });
      if (Buffer.compare(remoteNonce.subarray(0, FIRST_BYTES.length), FIRST_BYTES) === 0) {
        const fault = foreign('uses no network key');
        connection.abort(fault);
        throw fault;
      }
      return new GuardedConnection({
        connection,
        ciphers: { inbound: createSalsaStream(remoteNonce, key), outbound: createSalsaStream(nonce, key) },
        foreign: () => foreign('uses another network key or none'),
      });
    },
  };
}

async function exchangeNonces(
  connection: MultiaddrConnection,
  nonce: Uint8Array,
  options: AbortOptions | undefined,
): Promise<Uint8Array> {
  const bytes = byteStream(connection);
  const [received] = await Promise.all([
    bytes.read({ bytes: SALSA_NONCE_BYTES, ...options }),
    bytes.write(nonce, options),
  ]);
  bytes.unwrap();
  return received.subarray();
}
