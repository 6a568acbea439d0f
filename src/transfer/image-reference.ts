import { CID } from 'multiformats/cid';
import { Fault } from '../base/fault.ts';
import type { ImageQuery } from '../swarm/image-query.ts';

const MAX_REFERENCE = 2048;
const MIN_ID_DIGITS = 6;

/**
 * What a user gives to `pull`: `/ipfs/<cid>[/…]`, `ipfs://<cid>[/…]`, a CID, `/ipns/<peer>/<name>`, hex digits of an
 * id (perhaps after `sha256:`), else a name.
 * @throws Fault `invalid/bad-reference`
 */
export function parseImageReference(text: string): ImageQuery {
  if (text.length === 0 || text.length > MAX_REFERENCE) throw badReference(text);
  const path = text.replace(/^ipfs:\/\//, '/ipfs/').replace(/^ipns:\/\//, '/ipns/');
  if (path.startsWith('/ipfs/')) return cidQuery(path.slice(6), text);
  if (path.startsWith('/ipns/')) return ipnsQuery(path.slice(6), text);
  const id = /^(?:sha256:)?([0-9a-f]+)$/.exec(text)?.[1];
  if (id !== undefined && id.length >= MIN_ID_DIGITS && id.length <= 64) return { kind: 'id', prefix: id };
  const [first = '', ...rest] = text.split('/');
  const cid = tryCid(first);
  if (cid !== undefined) return { kind: 'cid', cid, path: checkedPath(rest, text) };
  return { kind: 'name', name: text };
}

function cidQuery(rest: string, text: string): ImageQuery {
  const [first = '', ...names] = rest.split('/');
  const cid = tryCid(first);
  if (cid === undefined) {
    throw new Fault(
      'invalid',
      'bad-reference',
      `${JSON.stringify(text)}: ${JSON.stringify(first)} is no CID`,
      {
        fields: { reference: text },
      },
    );
  }
  return { kind: 'cid', cid, path: checkedPath(names, text) };
}

function ipnsQuery(rest: string, text: string): ImageQuery {
  const slash = rest.indexOf('/');
  if (slash <= 0 || slash === rest.length - 1) throw badReference(text);
  return { kind: 'ipns', peer: rest.slice(0, slash), name: rest.slice(slash + 1) };
}

function checkedPath(names: readonly string[], text: string): readonly string[] {
  const path = names.at(-1) === '' ? names.slice(0, -1) : names;
  if (path.some((name) => name === '' || name === '.' || name === '..')) throw badReference(text);
  return path;
}

function tryCid(text: string): CID | undefined {
  if (!/^(Qm[1-9A-HJ-NP-Za-km-z]{44}|b[a-z2-7]{58,})$/.test(text)) return undefined;
  try {
    return CID.parse(text);
  } catch {
    return undefined;
  }
}

function badReference(text: string): Fault {
  return new Fault(
    'invalid',
    'bad-reference',
    `${JSON.stringify(text.slice(0, 200))} names no image: give /ipfs/<cid>/<name>, an id of at least ${MIN_ID_DIGITS} hex digits, or a name`,
    { fields: { reference: text.slice(0, 200) } },
  );
}
