import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageSummary, PullResult, PushResult } from '../../src/observe/control/views.ts';
import { type BuiltImage, buildImage, dockerArchive, sha256Digest } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { NET, stationGroup, type TestStation } from './support/station-process.ts';

const group = stationGroup('references');
const archive = (name: string) => join(group.folder, `${name}.tar`);
let here: TestStation;
let there: TestStation;
let publishedRoot: string;
/** A peer id of no station here. */
const NOBODY = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';

const imageBy = (author: string) => buildImage({ layers: [[file('a', 'x')]], config: { author } });

/** Two images whose ids begin with the same six digits: half of all 5,000 images have such. */
function twins(): [BuiltImage, BuiltImage] {
  const config = imageBy('@').config.toString();
  const seen = new Map<string, string>();
  for (let number = 0; ; number++) {
    const author = String(number);
    const start = sha256Digest(Buffer.from(config.replace('@', author))).slice(0, 13);
    const before = seen.get(start);
    if (before !== undefined) return [imageBy(before), imageBy(author)];
    seen.set(start, author);
  }
}

const [one, two] = twins();
const START = one.imageId.slice(7, 13);
const ids = [one, two].map(({ imageId }) => imageId);

beforeAll(async () => {
  writeFileSync(archive('one'), dockerArchive([one]));
  writeFileSync(archive('two'), dockerArchive([two]));
  [here, there] = await Promise.all([
    group.start('here', { net: NET }),
    group.start('there', { net: NET, set: ['names.wait=3s', 'fetch.wait=2s'] }),
  ]);
  await there.connect(here);
  await here.ok(['push', archive('one')]);
  ({ publishedRoot } = await here.json<PushResult>(['push', archive('two')]));
}, 60_000);
afterAll(() => group.end());

it('the beginning of two ids is refused with both, by the station that has them and by one that asks', async () => {
  for (const [station, command] of [
    [here, ['inspect', START]],
    [here, ['rm', START]],
    [here, ['verify', START]],
    [there, ['pull', '--store-only', START]],
  ] as const) {
    const fault = await station.fault(command);
    expect([command, fault.exit, fault.kind, fault.code]).toEqual([command, 2, 'invalid', 'ambiguous-id']);
    for (const id of ids) expect(fault.message).toContain(id);
  }
  expect(await here.json<ImageSummary[]>(['ls'])).toHaveLength(2);
  expect(await there.json(['ls'])).toEqual([]);
}, 60_000);

it('more digits decide, and the printed digits say which it was', async () => {
  for (const { imageId } of [one, two]) {
    const pulled = await there.run(['pull', '--store-only', imageId.slice(7, 27)]);
    expect([pulled.code, pulled.out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^pulled /ipfs/baf\\w+/${imageId.slice(7, 19)}\n$`)),
    ]);
    expect(pulled.err).toContain(`is ${imageId}; a short id can be forged, the full one cannot`);
  }
}, 60_000);

it.each<[string, string[], number, string, RegExp]>([
  ['an id that nobody has', ['pull', 'deadbeefcafe'], 3, 'unknown-image', /no image deadbeefcafe .*asked 1/],
  ['a name that nobody has', ['pull', 'no/such:1'], 3, 'unknown-image', /no image no\/such:1/],
  ['what is no reference', ['pull', 'No/Such'], 2, 'bad-reference', /No\/Such/],
  ['a path that is not below', ['pull', '/ipfs/@/nothing'], 3, 'no-such-path', /nothing/],
  [
    'a hash that nobody has',
    ['pull', `/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyky`],
    4,
    'no-peer-has-block',
    /baf/,
  ],
  ['a peer that is not connected', ['pull', '--from', '@peer', 'deadbeef'], 4, 'not-connected', /connect/],
  ['to inspect what is not here', ['inspect', 'deadbeefcafe'], 3, 'unknown-image', /deadbeefcafe/],
  ['to remove what is not here', ['rm', 'no/such:1'], 3, 'unknown-image', /no\/such:1/],
  ['to verify what is not here', ['verify', 'deadbeefcafe'], 3, 'unknown-image', /deadbeefcafe/],
  ['an address that is none', ['connect', 'not-an-address'], 2, 'bad-address', /not-an-address/],
  ['a port where nobody is', ['connect', '/ip4/127.0.0.1/tcp/1'], 4, 'dial-failed', /127\.0\.0\.1\/tcp\/1/],
  ['a trusted one that is no peer', ['trust', 'add', 'earth'], 2, 'bad-peer-id', /earth/],
])(
  '%s',
  async (_, args, exit, code, message) => {
    const replaced = args.map((arg) => arg.replace('@peer', NOBODY).replace('@', publishedRoot));
    const fault = await there.fault(replaced);
    expect([fault.exit, fault.code]).toEqual([exit, code]);
    expect(fault.message).toMatch(message);
  },
  60_000,
);

it('none of it changes what is here', async () => {
  expect(await there.json<ImageSummary[]>(['ls'])).toHaveLength(2);
  for (const { imageId } of [one, two]) {
    const { manifests } = await there.json<PullResult>(['pull', '--store-only', imageId]);
    expect(manifests.map((manifest) => manifest.imageId)).toEqual([imageId]);
  }
}, 60_000);
