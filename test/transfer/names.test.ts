import { digestOfBytes, sha256 } from '../../src/base/digest.ts';
import { rawCid } from '../../src/image/dag/file-dag.ts';
import { publishedRoot } from '../../src/image/dag/image-roots.ts';
import {
  addressName,
  namesToPublish,
  type PushArgument,
  publishedEntries,
} from '../../src/transfer/image-names.ts';
import { parseImageReference } from '../../src/transfer/image-reference.ts';

const CID_V1 = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const CID_V0 = 'QmNsF3nR6kTz3PnKWH1uZP97ESYsLP9uJVqV9EpNfzRKSk';

describe('what a user gives to pull', () => {
  it.each([
    [`/ipfs/${CID_V1}`, { kind: 'cid', path: [] }],
    [`/ipfs/${CID_V1}/`, { kind: 'cid', path: [] }],
    [`/ipfs/${CID_V0}/jbenet/go-ipfs`, { kind: 'cid', path: ['jbenet', 'go-ipfs'] }],
    [`ipfs://${CID_V1}/c1d9bf8d8844`, { kind: 'cid', path: ['c1d9bf8d8844'] }],
    [CID_V1, { kind: 'cid', path: [] }],
    [`${CID_V0}/x:1`, { kind: 'cid', path: ['x:1'] }],
    ['/ipns/12D3KooWabc/jbenet/go-ipfs', { kind: 'ipns', peer: '12D3KooWabc', name: 'jbenet/go-ipfs' }],
    ['c1d9bf8d8844', { kind: 'id', prefix: 'c1d9bf8d8844' }],
    [`sha256:${'ab'.repeat(32)}`, { kind: 'id', prefix: 'ab'.repeat(32) }],
    ['decade', { kind: 'id', prefix: 'decade' }],
    ['cafe', { kind: 'name', name: 'cafe' }],
    ['debian', { kind: 'name', name: 'debian' }],
    ['localhost:5000/a/b:1', { kind: 'name', name: 'localhost:5000/a/b:1' }],
    [`a@sha256:${'0'.repeat(64)}`, { kind: 'name', name: `a@sha256:${'0'.repeat(64)}` }],
  ])('%s', (text, expected) => {
    expect(parseImageReference(text)).toMatchObject(expected);
  });

  it.each([
    '',
    'x'.repeat(2049),
    '/ipfs/',
    '/ipfs/none',
    `/ipfs/${CID_V1}/../etc`,
    `/ipfs/${CID_V1}//x`,
    `${CID_V1}/.`,
    '/ipns/',
    '/ipns/peer',
    '/ipns/peer/',
  ])('refuses %j', (text) => {
    expect(() => parseImageReference(text)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'bad-reference' }),
    );
  });
});

const config = digestOfBytes(Buffer.from('config'));
const manifest = digestOfBytes(Buffer.from('manifest'));
const short = (digest: string): string => digest.slice(7, 19);
const root = { cid: rawCid(sha256(Buffer.from('root'))), tsize: 4 };
const by = (how: PushArgument['by'], text: string): PushArgument => ({ by: how, text });

describe('names that a push publishes', () => {
  it("are in Docker's normal form, with and without :latest", () => {
    const names = ['docker.io/library/debian:latest', 'jbenet/go-ipfs:v1'];
    expect(namesToPublish(names, by('file', 'x.tar'), 'private')).toEqual([
      'debian',
      'debian:latest',
      'jbenet/go-ipfs:v1',
    ]);
  });

  it('hold the name that was asked for, and leave out what is no name', () => {
    expect(namesToPublish(['Not a name', '<none>:<none>'], by('name', 'asked'), 'private')).toEqual([
      'asked',
      'asked:latest',
    ]);
  });

  it('leave out registry hosts on the public network, unless they were asked for', () => {
    const names = ['ghcr.io/a/b:1', 'c:1'];
    expect(namesToPublish(names, by('id', short(config)), 'public')).toEqual(['c:1']);
    expect(namesToPublish(names, by('name', 'ghcr.io/a/b:1'), 'public')).toEqual(['c:1', 'ghcr.io/a/b:1']);
    expect(namesToPublish(names, by('id', short(config)), 'private')).toEqual(['c:1', 'ghcr.io/a/b:1']);
  });
});

describe('what a published root lists', () => {
  it('is 12 digits of each id, and the names', () => {
    const entries = publishedEntries([config, manifest, config], ['a', 'a:latest'], root);
    expect(entries.map(({ name }) => name)).toEqual([short(config), short(manifest), 'a', 'a:latest']);
    expect(new Set(entries.map((entry) => entry.root))).toEqual(new Set([root]));
  });

  it('leaves out names that stand in the way of an id', () => {
    const entries = publishedEntries([config], [short(config), `${short(config)}/x:1`, 'free'], root);
    expect(entries.map(({ name }) => name)).toEqual([short(config), 'free']);
    expect(() => publishedRoot(entries)).not.toThrow();
  });
});

describe('the address that a push prints', () => {
  const ids = [config, manifest];
  const names = ['aaa:1', 'b', 'b:latest'];
  it.each([
    [by('name', 'b'), 'b'],
    [by('name', 'b:latest'), 'b:latest'],
    [by('name', 'docker.io/library/b'), 'b'],
    [by('name', 'gone:1'), short(config)],
    [by('id', config.slice(7, 20)), short(config)],
    [by('id', manifest), short(manifest)],
    [by('id', 'ffffff'), short(config)],
    [by('file', './b.tar'), short(config)],
  ])('%j is %s', (argument, expected) => {
    expect(addressName(argument, ids, names)).toBe(expected);
  });
});
