import { isDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';
import type { EndpointName, EndpointTypes } from '../../observe/control/endpoints.ts';

/** What a field of a request may hold; a shape that is a list is a closed choice. */
type Shape = 'text' | 'texts' | 'count' | 'flag' | 'digest' | readonly string[];

interface Field {
  readonly shape: Shape;
  readonly optional?: boolean;
}

type Fields<Request> = Request extends undefined
  ? Record<never, never>
  : { readonly [Name in keyof Request]-?: Field };

/** The longest text in a request: a name and a CID are far shorter, a path is at most 4096. */
const MAX_TEXT = 8192;
const MAX_TEXTS = 1024;

const text: Field = { shape: 'text' };
const optionalText: Field = { shape: 'text', optional: true };
const optionalFlag: Field = { shape: 'flag', optional: true };
const profiled = { image: text, platform: optionalText };

/** Every field of every request; a field that is not here is refused, so that a typing error is never ignored. */
const REQUESTS: { readonly [Name in EndpointName]: Fields<EndpointTypes[Name]['request']> } = {
  status: {},
  stop: { all: optionalFlag, force: optionalFlag },
  addrs: {},
  peers: {},
  connect: { addr: text },
  network: {},
  trustList: {},
  trustAdd: { peer: text },
  trustRemove: { peer: text },
  images: {},
  inspect: { image: text },
  remove: { image: text },
  gc: { cached: optionalFlag, interrupted: optionalFlag },
  verify: { image: text },
  push: {
    argument: text,
    by: { shape: ['id', 'name', 'file'] },
    names: { shape: 'texts' },
    expectedId: { shape: 'digest', optional: true },
    platform: optionalText,
    image: optionalText,
    copies: { shape: 'count', optional: true },
  },
  pull: {
    reference: text,
    platform: optionalText,
    from: optionalText,
    blobs: optionalFlag,
    cached: optionalFlag,
  },
  export: {
    image: text,
    format: { shape: ['docker-archive', 'oci-archive'] },
    platform: optionalText,
    names: { shape: 'texts', optional: true },
  },
  prepare: { reference: text, platform: optionalText, from: optionalText },
  mount: {
    reference: text,
    platform: optionalText,
    from: optionalText,
    target: text,
    writable: optionalFlag,
    suid: optionalFlag,
    dev: optionalFlag,
  },
  mounts: {},
  unmount: { target: text, lazy: optionalFlag, keep: optionalFlag },
  profile: profiled,
  profileExport: profiled,
  profileImport: profiled,
  profileForget: profiled,
  debugDag: { cid: text },
  debugLayer: { cid: text },
  debugFuse: {},
};

/**
 * Checks what a client sent against the endpoint's fields.
 * @throws Fault `invalid/bad-request` (fields: endpoint, field)
 */
export function parseRequest<Name extends EndpointName>(
  endpoint: Name,
  value: unknown,
): EndpointTypes[Name]['request'] {
  const fields: Readonly<Record<string, Field>> = REQUESTS[endpoint];
  const given = value ?? {};
  const bad = (field: string, why: string) =>
    new Fault('invalid', 'bad-request', `${endpoint}: ${field} ${why}`, { fields: { endpoint, field } });
  if (typeof given !== 'object' || Array.isArray(given)) throw bad('the request', 'is not a JSON object');
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(fields, key)) throw bad(key.slice(0, 64), 'is not a field of this request');
  }
  for (const [key, field] of Object.entries(fields)) {
    const found = (given as Record<string, unknown>)[key];
    if (found === undefined && field.optional === true) continue;
    if (!fits(found, field.shape)) throw bad(key, `must be ${describe(field.shape)}`);
  }
  return given as EndpointTypes[Name]['request'];
}

function fits(value: unknown, shape: Shape): boolean {
  if (Array.isArray(shape)) return shape.includes(value);
  switch (shape as Exclude<Shape, readonly string[]>) {
    case 'text':
      return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT;
    case 'texts':
      return Array.isArray(value) && value.length <= MAX_TEXTS && value.every((entry) => fits(entry, 'text'));
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case 'flag':
      return typeof value === 'boolean';
    case 'digest':
      return typeof value === 'string' && isDigest(value);
  }
}

function describe(shape: Shape): string {
  if (typeof shape !== 'string') return `one of ${shape.join(', ')}`;
  const words = { text: 'text', texts: 'a list of texts', count: 'a whole number', flag: 'true or false' };
  return shape === 'digest' ? 'a sha256 digest' : words[shape];
}
