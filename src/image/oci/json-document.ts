import { type Digest, isDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import { checkJsonStructure } from './json-structure.ts';

/** JSON that is bigger is refused unread: what a registry must take of a manifest (distribution-spec, 4 MiB). */
export const MAX_JSON_BYTES = 4 * 1024 * 1024;

/**
 * Reads one document of a stranger.
 * @param document what it is, for messages: `image manifest`, `image config`...
 * @throws Fault `invalid/json-too-big`, `invalid/bad-json` (no JSON, no UTF-8, too deep, a key twice),
 *   `invalid/bad-document` where it is no object
 */
export function readJsonDocument(bytes: Uint8Array, document: string): JsonObject {
  return new JsonObject(asObject(readJson(bytes, document), document, ''), document, '');
}

/** The same for a document whose top is an array. */
export function readJsonArray(bytes: Uint8Array, document: string): JsonObject[] {
  const value = readJson(bytes, document);
  if (!Array.isArray(value)) throw badField(document, '', 'an array');
  return value.map((item, i) => new JsonObject(asObject(item, document, `[${i}]`), document, `[${i}]`));
}

function readJson(bytes: Uint8Array, document: string): unknown {
  if (bytes.length > MAX_JSON_BYTES) {
    throw new Fault(
      'invalid',
      'json-too-big',
      `the ${document} has ${bytes.length} bytes, at most ${MAX_JSON_BYTES} are read`,
      { fields: { document, size: bytes.length, max: MAX_JSON_BYTES } },
    );
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    checkJsonStructure(text);
    return value;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Fault('invalid', 'bad-json', `the ${document} is not JSON that can be trusted: ${reason}`, {
      cause,
      fields: { document },
    });
  }
}

/**
 * An object of a document; every getter throws Fault `invalid/bad-document` that names the field. Only own keys are
 * seen, so `__proto__` is a key like any other, and `null` counts as absent, as in Go.
 */
export class JsonObject {
  readonly document: string;
  /** Path of the object in the document, empty for the document itself. */
  readonly where: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>, document: string, where: string) {
    this.#values = values;
    this.document = document;
    this.where = where;
  }

  has(key: string): boolean {
    return this.#value(key) !== undefined;
  }

  optionalString(key: string): string | undefined {
    const value = this.#value(key);
    if (value !== undefined && typeof value !== 'string') throw this.#bad(key, 'a string');
    return value;
  }

  string(key: string): string {
    return this.optionalString(key) ?? this.#missing(key, 'a string');
  }

  optionalInteger(key: string): number | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (!Number.isSafeInteger(value)) throw this.#bad(key, 'a whole number');
    return value as number;
  }

  /** Bytes of something: 0 to 2^53 - 1. */
  size(key: string): number {
    const value = this.optionalInteger(key) ?? this.#missing(key, 'a size in bytes');
    if (value < 0) throw this.#bad(key, 'a size in bytes');
    return value;
  }

  optionalBoolean(key: string): boolean | undefined {
    const value = this.#value(key);
    if (value !== undefined && typeof value !== 'boolean') throw this.#bad(key, 'true or false');
    return value;
  }

  digest(key: string): Digest {
    return this.#digest(this.string(key), key);
  }

  optionalObject(key: string): JsonObject | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const where = this.#path(key);
    return new JsonObject(asObject(value, this.document, where), this.document, where);
  }

  object(key: string): JsonObject {
    return this.optionalObject(key) ?? this.#missing(key, 'an object');
  }

  optionalObjects(key: string): JsonObject[] | undefined {
    return this.#array(key)?.map((item, i) => {
      const where = `${this.#path(key)}[${i}]`;
      return new JsonObject(asObject(item, this.document, where), this.document, where);
    });
  }

  objects(key: string): JsonObject[] {
    return this.optionalObjects(key) ?? this.#missing(key, 'an array');
  }

  optionalStrings(key: string): string[] | undefined {
    return this.#array(key)?.map((item, i) => {
      if (typeof item !== 'string') throw this.#bad(`${key}[${i}]`, 'a string');
      return item;
    });
  }

  optionalDigests(key: string): Digest[] | undefined {
    return this.optionalStrings(key)?.map((text, i) => this.#digest(text, `${key}[${i}]`));
  }

  /** An object of strings, without a prototype: `__proto__` is a key like any other. */
  optionalStringMap(key: string): Readonly<Record<string, string>> | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const map: Record<string, string> = Object.create(null);
    for (const [name, text] of Object.entries(asObject(value, this.document, this.#path(key)))) {
      if (typeof text !== 'string') throw this.#bad(`${key}.${name}`, 'a string');
      map[name] = text;
    }
    return map;
  }

  /**
   * Go's decoder, and so the engines, match keys without regard to case: a document with `layers` and `Layers` would
   * be one image here and another one there.
   */
  #value(key: string): unknown {
    for (const other of Object.keys(this.#values)) {
      if (other !== key && other.length === key.length && other.toLowerCase() === key.toLowerCase()) {
        throw this.#bad(other, `spelled ${JSON.stringify(key)}`);
      }
    }
    const value = Object.hasOwn(this.#values, key) ? this.#values[key] : undefined;
    return value === null ? undefined : value;
  }

  #array(key: string): unknown[] | undefined {
    const value = this.#value(key);
    if (value !== undefined && !Array.isArray(value)) throw this.#bad(key, 'an array');
    return value;
  }

  #digest(text: string, key: string): Digest {
    if (isDigest(text)) return text;
    if (/^sha(512|384):[0-9a-f]+$/.test(text)) {
      throw new Fault(
        'unsupported',
        'digest-algorithm',
        `the ${this.document} names a blob by ${text.slice(0, 6)}, only sha256 is supported (${this.#path(key)})`,
        { fields: { document: this.document, field: this.#path(key), digest: text.slice(0, 140) } },
      );
    }
    throw this.#bad(key, 'a sha256 digest');
  }

  #path(key: string): string {
    return this.where === '' ? key : `${this.where}.${key}`;
  }

  #bad(key: string, expected: string): Fault {
    return badField(this.document, this.#path(key), expected);
  }

  #missing(key: string, expected: string): never {
    throw this.#bad(key, expected);
  }
}

function asObject(value: unknown, document: string, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badField(document, where, 'an object');
  }
  return value as Readonly<Record<string, unknown>>;
}

function badField(document: string, field: string, expected: string): Fault {
  const shown = field === '' ? 'its top' : field.slice(0, 256);
  return new Fault('invalid', 'bad-document', `damaged ${document}: ${shown} must be ${expected}`, {
    fields: { document, field: field.slice(0, 256) },
  });
}
