import { Fault } from '../../base/fault.ts';

/** Names and codes of errors (libp2p, @libp2p/tcp, node:net, node:dns) and what they mean to the one who dials. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused, nothing listens there',
  ECONNRESET: 'the other side closed the connection during the handshake',
  EPIPE: 'the other side closed the connection during the handshake',
  EHOSTUNREACH: 'no route to that host',
  ENETUNREACH: 'no route to that network',
  ETIMEDOUT: 'no answer in time',
  ENOTFOUND: 'that name is not known',
  EAI_AGAIN: 'that name could not be looked up',
  TimeoutError: 'no answer in time',
  AbortError: 'no answer in time',
  UnexpectedPeerError: 'another peer id answers there',
  NoValidAddressesError: 'none of its addresses can be dialled from here',
  InvalidMultiaddrError: 'that is not an address to dial',
  InvalidPeerIdError: 'that is this station itself',
  UnsupportedProtocolError: 'the other side is no libp2p peer, or shares no protocol with us',
  EncryptionFailedError:
    'the security handshake failed: the other side is no libp2p peer, or has another peer id',
  ConnectionInterceptedError: 'refused by the address lists or because the peer was dropped',
  DialDeniedError: 'refused by the address lists or because the peer was dropped',
};

/**
 * Why a dial failed, in plain words.
 * @param known the fault that one of our own checks noted for this address, taken before anything libp2p says
 */
export function dialFault(addr: string, error: unknown, known: Fault | undefined): Fault {
  if (known !== undefined) return known;
  if (error instanceof Fault) return error;
  const reason = dialReason(error);
  return new Fault('unavailable', 'dial-failed', `cannot connect to ${addr}: ${reason}`, {
    cause: error,
    fields: { addr, reason },
  });
}

function dialReason(error: unknown): string {
  const errors = error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error];
  const reasons = errors.map((one: Error & { code?: string }) => {
    const reason = REASONS[one.code ?? ''] ?? REASONS[one.name];
    return reason ?? one.message;
  });
  return [...new Set(reasons)].join('; ');
}
