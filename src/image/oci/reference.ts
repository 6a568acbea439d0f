import { type Digest, isDigest } from '../../base/digest.ts';
import { Fault } from '../../base/fault.ts';

/** An image's name in full: `docker.io/library/alpine` and a tag, a digest, or both. */
export interface Reference {
  /** Registry host with its port, e.g. `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** Repository in it, e.g. `library/alpine`. */
  readonly path: string;
  /** `latest` where the text had neither tag nor digest. */
  readonly tag?: string;
  readonly digest?: Digest;
}

export const MAX_REPOSITORY_LENGTH = 255;
export const MAX_TAG_LENGTH = 128;

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL = 'library/';
const DEFAULT_TAG = 'latest';

/** Longer text is not even looked at: domain, path, tag and digest at their longest. */
const MAX_TEXT = 1024;

// The grammar of github.com/distribution/reference, regexp.go.
const HOST_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${HOST_PART}(?:\\.${HOST_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const TAG = new RegExp(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,${MAX_TAG_LENGTH - 1}}$`);

/**
 * `[host[:port]/]path[:tag][@digest]` in Docker's normal form: `alpine` is `docker.io/library/alpine:latest`. The first
 * part is a host where it has a dot, a colon or a capital letter, or is `localhost`.
 * @throws Fault `invalid/bad-reference` that names the text
 */
export function parseReference(text: string): Reference {
  if (text.length > MAX_TEXT) throw badReference(text, 'it is too long');
  if (/^[a-f0-9]{64}$/.test(text)) throw badReference(text, '64 hex digits are an id');
  const { domain, rest } = splitDomain(text);
  const at = rest.indexOf('@');
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const named = at < 0 ? rest : rest.slice(0, at);
  const colon = named.indexOf(':');
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const path = colon < 0 ? named : named.slice(0, colon);
  if (path !== path.toLowerCase()) throw badReference(text, 'the repository must be lower case');
  if (!DOMAIN.test(domain)) throw badReference(text, 'the host is malformed');
  if (!PATH.test(path)) throw badReference(text, 'the repository is malformed');
  if (path.length > MAX_REPOSITORY_LENGTH) {
    throw badReference(text, `a repository has at most ${MAX_REPOSITORY_LENGTH} characters`);
  }
  if (tag !== undefined && !TAG.test(tag)) throw badReference(text, 'the tag is malformed');
  if (digest !== undefined && !isDigest(digest)) throw badReference(text, 'not a sha256 digest');
  if (digest !== undefined) return { domain, path, ...(tag === undefined ? {} : { tag }), digest };
  return { domain, path, tag: tag ?? DEFAULT_TAG };
}

/** In full: `docker.io/library/alpine:latest`. */
export function printReference(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

/** As Docker shows it, without `docker.io/library/`: `alpine:latest`. */
export function printFamiliar(reference: Reference): string {
  return `${familiarRepository(reference)}${suffix(reference)}`;
}

/** The same without `:latest`: `alpine`. */
export function printShort(reference: Reference): string {
  const plain = reference.tag === DEFAULT_TAG && reference.digest === undefined;
  return plain ? familiarRepository(reference) : printFamiliar(reference);
}

/** The repository as Docker shows it: `alpine`, `jbenet/go-ipfs`, `ghcr.io/x/y`. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const official = path.startsWith(OFFICIAL) ? path.slice(OFFICIAL.length) : path;
  return official.includes('/') ? path : official;
}

/** Whether the name says a registry other than Docker's, which tells where a company keeps its images. */
export function hasRegistryHost({ domain }: Reference): boolean {
  return domain !== DEFAULT_DOMAIN;
}

/**
 * The names under which a published root lists an image (docs/dag-format.md, "Published root"): each in Docker's normal
 * form without `docker.io/library/`, and also without `:latest`. They become paths of directories, so a name that
 * another one begins with, followed by a slash, is left out. Sorted, each once; names by digest alone are no names.
 * @throws Fault `invalid/bad-reference`
 */
export function publishedNames(names: readonly string[]): string[] {
  const published = new Set<string>();
  for (const reference of names.map(parseReference)) {
    if (reference.tag === undefined) continue;
    const named: Reference = { domain: reference.domain, path: reference.path, tag: reference.tag };
    published.add(printFamiliar(named));
    published.add(printShort(named));
  }
  const folders = new Set([...published].flatMap(foldersOf));
  return [...published].filter((name) => !folders.has(name)).sort();
}

function foldersOf(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitDomain(text: string): { readonly domain: string; readonly rest: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isHost = slash >= 0 && (first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase());
  const domain = isHost && first !== LEGACY_DOMAIN ? first : DEFAULT_DOMAIN;
  const rest = isHost ? text.slice(slash + 1) : text;
  return { domain, rest: domain === DEFAULT_DOMAIN && !rest.includes('/') ? `${OFFICIAL}${rest}` : rest };
}

function badReference(text: string, reason: string): Fault {
  const shown = text.slice(0, 300);
  return new Fault('invalid', 'bad-reference', `not an image name: ${JSON.stringify(shown)}: ${reason}`, {
    fields: { reference: shown, reason },
  });
}
