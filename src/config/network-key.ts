import { createHash, randomBytes, scrypt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';

/** The key of a private network: what libp2p's PSK protocol takes, and what people compare. */
export interface NetworkKey {
  /** 32 bytes. */
  readonly psk: Uint8Array;
  /** First 8 hex digits of the key's sha256: safe to show. */
  readonly fingerprint: string;
  /** What the user should know about the key given, e.g. that it is short. */
  readonly warning?: string;
}

export const NETWORK_KEY_BYTES = 32;
/** A passphrase below this is warned of. */
const SAFE_PASSPHRASE = 20;
const FILE_HEADER = '/key/swarm/psk/1.0.0/';
const MAX_FILE_BYTES = 4096;

// Part of the format: other values would put stations with the same passphrase on different networks.
const SALT = 'shp-net-v1';
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 };

/** Makes a new random key. */
export function makeNetworkKey(): NetworkKey {
  return networkKeyOf(randomBytes(NETWORK_KEY_BYTES));
}

export function networkKeyOf(psk: Uint8Array): NetworkKey {
  return { psk, fingerprint: networkFingerprint(psk) };
}

export function networkFingerprint(psk: Uint8Array): string {
  return createHash('sha256').update(psk).digest('hex').slice(0, 8);
}

/**
 * What `init --net <x>` may be given: a path (begins with `/` or `.`, or ends in `swarm.key`) of a key file in Kubo's
 * form, 64 hex digits, or any other text, which is stretched. `-` is the caller's: it passes what stdin held.
 * @throws Fault `not-found/no-key-file`, `invalid/bad-key-file`, `invalid/empty-network-key`
 */
export async function parseNetworkKey(text: string): Promise<NetworkKey> {
  const given = text.trim();
  if (given === '') {
    throw new Fault('invalid', 'empty-network-key', 'the network key is empty');
  }
  if (given.startsWith(FILE_HEADER)) return parseKeyFile(Buffer.from(given), 'the key given');
  if (/^[./]/.test(given) || given.endsWith('swarm.key'))
    return parseKeyFile(await readKeyFile(given), given);
  if (/^[0-9a-fA-F]{64}$/.test(given)) return networkKeyOf(Buffer.from(given, 'hex'));
  const key = networkKeyOf(await stretch(given));
  if (given.length >= SAFE_PASSPHRASE) return key;
  return {
    ...key,
    warning: `the network key has only ${given.length} characters: who guesses it can join; use ${SAFE_PASSPHRASE} or more`,
  };
}

/** Kubo's `swarm.key` file: https://github.com/ipfs/kubo/blob/master/docs/experimental-features.md#private-networks */
export function formatNetworkKey(psk: Uint8Array): string {
  return `${FILE_HEADER}\n/base16/\n${Buffer.from(psk).toString('hex')}\n`;
}

/**
 * Reads Kubo's form: three lines, the last `/base16/`, `/base64/` or `/bin/` encoded.
 * @param name what the fault calls the file
 * @throws Fault `invalid/bad-key-file`
 */
export function parseKeyFile(bytes: Uint8Array, name: string): NetworkKey {
  const bad = (why: string) =>
    new Fault('invalid', 'bad-key-file', `${name} is not a network key (${FILE_HEADER}): ${why}`, {
      fields: { file: name },
    });
  if (bytes.length > MAX_FILE_BYTES) throw bad(`it has more than ${MAX_FILE_BYTES} bytes`);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = buffer.indexOf(0x0a);
  const second = first < 0 ? -1 : buffer.indexOf(0x0a, first + 1);
  if (second < 0) throw bad('it has fewer than three lines');
  const line = (from: number, to: number) => buffer.toString('latin1', from, to).trim();
  if (line(0, first) !== FILE_HEADER) throw bad('its first line is another');
  const psk = decodeKey(line(first + 1, second), buffer.subarray(second + 1));
  if (psk === undefined) throw bad('its key is not 32 bytes of /base16/, /base64/ or /bin/');
  return networkKeyOf(psk);
}

function decodeKey(encoding: string, rest: Buffer): Buffer | undefined {
  const text = rest.toString('latin1').trim();
  switch (encoding) {
    case '/base16/':
      return /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : undefined;
    case '/base64/':
      return /^[A-Za-z0-9+/]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
    case '/bin/':
      // Raw bytes may end in 0x0a themselves, so only bytes beyond the 32 are looked at.
      return rest.length >= NETWORK_KEY_BYTES &&
        rest.subarray(NETWORK_KEY_BYTES).toString('latin1').trim() === ''
        ? Buffer.from(rest.subarray(0, NETWORK_KEY_BYTES))
        : undefined;
    default:
      return undefined;
  }
}

async function readKeyFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Fault('not-found', 'no-key-file', `cannot read the network key file ${path}`, {
      cause: error,
      fields: { file: path },
    });
  }
}

function stretch(passphrase: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(passphrase.normalize('NFC'), SALT, NETWORK_KEY_BYTES, SCRYPT, (error, key) =>
    error === null ? resolve(key) : reject(error),
  );
  return promise;
}
