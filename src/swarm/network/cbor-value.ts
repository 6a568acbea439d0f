import { decode, encode } from 'cborg';
import { CID } from 'multiformats/cid';
import { type Digest, digestBytes, digestOf } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';

/** Deterministic: keys sorted, shortest forms (RFC 8949, 4.2). */
export function encodeCbor(value: unknown): Uint8Array {
  return encode(value);
}

/**
 * One CBOR value and nothing behind it, in the deterministic form only.
 * @throws Fault `corrupt/bad-cbor` (fields: what)
 */
export function decodeCbor(bytes: Uint8Array, what: string): CborValue {
  try {
    const value: unknown = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    });
    return new CborValue(value, what);
  } catch (error) {
    // Deep nesting ends as a RangeError of the stack: as bad as any other.
    throw new Fault('corrupt', 'bad-cbor', `${what} is not what it should be: ${(error as Error).message}`, {
      cause: error,
      fields: { what },
    });
  }
}

/** A decoded value of unknown shape, read with checks; each accessor throws Fault `corrupt/bad-cbor`. */
export class CborValue {
  readonly #value: unknown;
  readonly #what: string;

  /** @param what names the value in faults */
  constructor(value: unknown, what: string) {
    this.#value = value;
    this.#what = what;
  }

  get absent(): boolean {
    return this.#value === undefined || this.#value === null;
  }

  /** A member of a map; absent where it is not there. */
  field(name: string): CborValue {
    const map = this.#value;
    if (typeof map !== 'object' || map === null || Array.isArray(map) || map instanceof Uint8Array) {
      throw this.fault('a map');
    }
    const value = Object.hasOwn(map, name) ? (map as Record<string, unknown>)[name] : undefined;
    return new CborValue(value, `${this.#what}.${name}`);
  }

  list(max: number): CborValue[] {
    if (!Array.isArray(this.#value)) throw this.fault('a list');
    if (this.#value.length > max) throw this.fault(`a list of at most ${max}`);
    return this.#value.map((item, at) => new CborValue(item, `${this.#what}[${at}]`));
  }

  /** Without control characters: what a peer names ends up on terminals and in logs. */
  text(maxBytes: number): string {
    if (typeof this.#value !== 'string') throw this.fault('text');
    if (Buffer.byteLength(this.#value) > maxBytes) throw this.fault(`text of at most ${maxBytes} bytes`);
    if (/\p{Cc}/u.test(this.#value)) throw this.fault('text without control characters');
    return this.#value;
  }

  bytes(maxBytes: number): Uint8Array {
    if (!(this.#value instanceof Uint8Array)) throw this.fault('bytes');
    if (this.#value.length > maxBytes) throw this.fault(`at most ${maxBytes} bytes`);
    return this.#value;
  }

  /** 0 .. 2^53 - 1 */
  count(): number {
    if (!Number.isSafeInteger(this.#value) || (this.#value as number) < 0) throw this.fault('a count');
    return this.#value as number;
  }

  /** Written as the 32 bytes of a sha2-256. */
  digest(): Digest {
    const hash = this.bytes(32);
    if (hash.length !== 32) throw this.fault('32 bytes');
    return digestOf(hash);
  }

  /** The text of a CID that was written as its bytes. */
  cid(): string {
    try {
      return CID.decode(this.bytes(64)).toString();
    } catch (error) {
      throw this.fault('a CID', error);
    }
  }

  /** The fault that says what it should have been. */
  fault(wanted: string, cause?: unknown): Fault {
    return new Fault('corrupt', 'bad-cbor', `${this.#what} is not ${wanted}`, {
      cause,
      fields: { what: this.#what },
    });
  }
}

/** The bytes that {@link CborValue.digest} reads. */
export const digestValue = (digest: Digest): Uint8Array => digestBytes(digest);
/** The bytes that {@link CborValue.cid} reads. */
export const cidValue = (cid: string): Uint8Array => CID.parse(cid).bytes;
