import { findManifestRoot } from '../../src/station/manifest-lookup.ts';
import type { Store } from '../../src/store/store.ts';
import type { LazyView, MountableImage } from '../../src/transfer/lazy/lazy-images.ts';

const [KEY, ROOT, PUBLISHED, ARM, HERE] = [
  'bafybeigllfqgfpqydppr6cmv56g7ax4wyhruzswvcefv6j5kj77nzttfki',
  'bafybeibxsa3ioclowpaq7b6gxl65gzqneopfr3fnhedak6sqr4bjz5lnyq',
  'bafybeihqwzd3o6q6v3pmwhzjy22vokhr767burokmqemg63hptx2nqd7ym',
  'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
  'bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4',
] as const;
const IMAGE_ID = `sha256:c1d9bf8d8844${'0'.repeat(52)}`;

const whole = {
  root: HERE,
  publishedRoots: [],
  names: ['here:1'],
  createdAt: 0,
  manifests: [
    { root: ARM, platform: 'linux/arm64' },
    { root: PUBLISHED, platform: 'linux/amd64' },
  ],
};
const store = {
  images: {
    all: () => [whole],
    byId: () => [],
    byName: (name: string) => (name === 'here:1' ? [whole] : []),
  },
} as unknown as Store;
const lazy = {
  list: (): LazyView[] => [
    {
      key: KEY,
      imageRoot: ROOT,
      names: ['jbenet/go-ipfs:latest', 'jbenet/go-ipfs'],
      bytes: 10,
      here: 5,
      state: 'fetching',
      byPeer: {},
      profile: 'none',
      wireBytes: 5,
    },
  ],
  get: (key: string) => (key === KEY ? ({ imageId: IMAGE_ID } as MountableImage) : undefined),
};
const find = (text: string, platform = 'linux/amd64') => findManifestRoot(store, lazy, text, platform);

describe('the manifest that a reference names', () => {
  it.each([
    'jbenet/go-ipfs',
    'jbenet/go-ipfs:latest',
    'docker.io/jbenet/go-ipfs',
    'c1d9bf8d8844',
    IMAGE_ID,
    ROOT,
    KEY,
    `/ipfs/${ROOT}`,
    `/ipfs/${PUBLISHED}/c1d9bf8d8844`,
    `/ipfs/${PUBLISHED}/jbenet/go-ipfs`,
  ])('of an image on its way: %s', (text) => {
    expect(find(text)).toBe(KEY);
  });

  it('of an image that is here is that of the platform', () => {
    expect(find('here:1')).toBe(PUBLISHED);
    expect(find('here:1', 'linux/arm64')).toBe(ARM);
    expect(() => find('here:1', 'linux/s390x')).toThrow(
      expect.objectContaining({ code: 'no-such-platform' }),
    );
  });

  it.each(['jbenet/go', 'c1d9bf8d8845', 'abcdef', `/ipfs/${PUBLISHED}`, `/ipfs/${PUBLISHED}/other`])(
    '%s is none',
    (text) => {
      expect(() => find(text)).toThrow(expect.objectContaining({ kind: 'not-found', code: 'unknown-image' }));
    },
  );
});
