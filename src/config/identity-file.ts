import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { base58btc } from 'multiformats/bases/base58';
import { Fault } from '../base/fault.ts';
import { writeDurably } from './durable-file.ts';
import { rootLayout } from './root-layout.ts';

/** A station's key pair as libp2p keeps it (libp2p specs, peer-ids/peer-ids.md, "Keys"). */
export interface Identity {
  /** `PrivateKey { Type = Ed25519, Data = seed + public key }`, what libp2p's `privateKeyFromProtobuf` takes. */
  readonly privateKey: Uint8Array;
  /** The identity multihash of the protobuf public key in base58btc: `12D3Koo…`. */
  readonly peerId: string;
}

// Both messages have two fields: 1 = key type (varint, 1 is Ed25519), 2 = data (length-delimited).
const PRIVATE_PREFIX = Buffer.from([0x08, 0x01, 0x12, 0x40]);
const PUBLIC_PREFIX = Buffer.from([0x08, 0x01, 0x12, 0x20]);
/** Multihash code 0 (identity) and the length of the protobuf public key. */
const PEER_ID_PREFIX = Buffer.from([0x00, 0x24]);

/** Makes a new key pair; nothing is written. */
export function makeIdentity(): Identity {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const seed = Buffer.from(jwk.d as string, 'base64url');
  const publicKey = Buffer.from(jwk.x as string, 'base64url');
  const privateKey = Buffer.concat([PRIVATE_PREFIX, seed, publicKey]);
  return { privateKey, peerId: peerIdOf(publicKey) };
}

/** @throws Fault `not-found/not-initialized`, `corrupt/bad-identity`, `denied/identity-unreadable` */
export async function readIdentity(root: string): Promise<Identity> {
  const { identity: file, root: at } = rootLayout(root);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      throw new Fault(
        'not-found',
        'not-initialized',
        `there is no shp station at ${at}: run dkr-shp init first`,
        {
          fields: { root: at },
        },
      );
    }
    throw new Fault('denied', 'identity-unreadable', `${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
      fields: { file },
    });
  }
  return parseIdentity(bytes, file);
}

/** @param file its name in the fault @throws Fault `corrupt/bad-identity` */
export function parseIdentity(bytes: Uint8Array, file: string): Identity {
  const size = PRIVATE_PREFIX.length + 64;
  if (bytes.length !== size || !PRIVATE_PREFIX.equals(bytes.subarray(0, PRIVATE_PREFIX.length))) {
    throw new Fault(
      'corrupt',
      'bad-identity',
      `${file} is not an Ed25519 key of a station (${bytes.length} bytes)`,
      {
        fields: { file },
      },
    );
  }
  return { privateKey: bytes, peerId: peerIdOf(bytes.subarray(size - 32)) };
}

/** Durable when the promise resolves. */
export async function writeIdentity(root: string, identity: Identity): Promise<void> {
  await writeDurably(rootLayout(root).identity, identity.privateKey);
}

/** The 16 hex digits that `start` prints: the first of the sha256 of the peer id's text. */
export function stationTag(peerId: string): string {
  return createHash('sha256').update(peerId).digest('hex').slice(0, 16);
}

function peerIdOf(publicKey: Uint8Array): string {
  return base58btc.encode(Buffer.concat([PEER_ID_PREFIX, PUBLIC_PREFIX, publicKey])).slice(1);
}
