import fc from 'fast-check';
import { Fault } from '../../../src/base/fault.ts';
import { parseImageConfig } from '../../../src/image/oci/image-config.ts';
import { isAttestation, isNestedIndex, parseImageIndex } from '../../../src/image/oci/image-index.ts';
import { parseImageManifest } from '../../../src/image/oci/image-manifest.ts';
import { MAX_JSON_BYTES } from '../../../src/image/oci/json-document.ts';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest('c'), size: 7 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digest('1'), size: 1000 };
const ociManifest = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config,
  layers: [layer, { ...layer, urls: ['https://example.com/x'], annotations: { a: 'b' } }],
};
const attested = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: digest('4'),
  size: 3,
  annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  platform: { architecture: 'unknown', os: 'unknown' },
};

describe('an image manifest', () => {
  it('of OCI: media type, config, layers bottom first', () => {
    expect(parseImageManifest(json(ociManifest))).toEqual({
      mediaType: ociManifest.mediaType,
      config,
      layers: ociManifest.layers,
    });
  });

  it('may leave its media type out, and have subject, artifact type and annotations', () => {
    const subject = { mediaType: ociManifest.mediaType, digest: digest('5'), size: 1 };
    const more = { annotations: { x: 'y' }, subject, artifactType: 'application/spdx+json' };
    const { mediaType: _, ...bare } = ociManifest;
    const manifest = parseImageManifest(json({ ...bare, ...more }));
    expect(manifest).toMatchObject({ mediaType: ociManifest.mediaType, ...more });
  });

  it('of Docker, schema 2', () => {
    const docker = {
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: { ...config, mediaType: 'application/vnd.docker.container.image.v1+json' },
      layers: [{ ...layer, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' }],
    };
    expect(parseImageManifest(json(docker))).toMatchObject({
      mediaType: docker.mediaType,
      layers: docker.layers,
    });
  });

  it('may have fields that are not known here', () => {
    expect(parseImageManifest(json({ ...ociManifest, next: { version: [1] } })).layers).toHaveLength(2);
  });

  it.each([
    [{ schemaVersion: 1, fsLayers: [], history: [] }],
    [{ mediaType: 'application/vnd.docker.distribution.manifest.v1+prettyjws' }],
  ])('of schema 1 is not supported: %j', (document) => {
    expect(() => parseImageManifest(json(document))).toThrow(
      expect.objectContaining({ kind: 'unsupported', code: 'manifest-schema1' }),
    );
  });

  it('that could be read as an index too is refused, and the reverse', () => {
    const ambiguous = expect.objectContaining({ kind: 'invalid', code: 'ambiguous-document' });
    const index = 'application/vnd.oci.image.index.v1+json';
    expect(() => parseImageManifest(json({ ...ociManifest, manifests: [] }))).toThrow(ambiguous);
    expect(() => parseImageManifest(json({ ...ociManifest, mediaType: index }))).toThrow(ambiguous);
    expect(() => parseImageIndex(json({ schemaVersion: 2, manifests: [], layers: [] }))).toThrow(ambiguous);
    expect(() => parseImageIndex(json({ manifests: [], mediaType: ociManifest.mediaType }))).toThrow(
      ambiguous,
    );
  });

  it.each([
    ['no config', { config: undefined }, 'config'],
    ['config is an array', { config: [] }, 'config'],
    ['no layers', { layers: undefined }, 'layers'],
    ['layers that are none', { layers: {} }, 'layers'],
    ['a layer that is a string', { layers: ['x'] }, 'layers[0]'],
    ['a negative size', { layers: [{ ...layer, size: -1 }] }, 'layers[0].size'],
    ['a size with a fraction', { layers: [{ ...layer, size: 1.5 }] }, 'layers[0].size'],
    ['a size past 2^53', { layers: [{ ...layer, size: 2 ** 60 }] }, 'layers[0].size'],
    ['no size', { layers: [{ ...layer, size: undefined }] }, 'layers[0].size'],
    [
      'a digest that is a path',
      { config: { ...config, digest: 'sha256:../../etc/passwd' } },
      'config.digest',
    ],
    ['a digest in capitals', { config: { ...config, digest: digest('A') } }, 'config.digest'],
    ['no media type', { layers: [layer, { ...layer, mediaType: null }] }, 'layers[1].mediaType'],
    ['urls that are none', { layers: [{ ...layer, urls: [1] }] }, 'layers[0].urls[0]'],
    ['annotations of numbers', { annotations: { a: 1 } }, 'annotations.a'],
    ['a key in other letters, which Go takes for the same', { Layers: [] }, 'Layers'],
  ])('with %s is refused by the name of the field', (_, change, field) => {
    expect(() => parseImageManifest(json({ ...ociManifest, ...change }))).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        code: 'bad-document',
        fields: expect.objectContaining({ field }),
      }),
    );
  });

  it('that names blobs by sha512 is not supported', () => {
    const sha512 = { ...config, digest: `sha512:${'a'.repeat(128)}` };
    expect(() => parseImageManifest(json({ ...ociManifest, config: sha512 }))).toThrow(
      expect.objectContaining({ kind: 'unsupported', code: 'digest-algorithm' }),
    );
  });
});

describe('an image index', () => {
  const platform = { architecture: 'arm', os: 'linux', variant: 'v7', 'os.version': '1' };
  const manifests = [
    { mediaType: ociManifest.mediaType, digest: digest('2'), size: 5, platform },
    { mediaType: 'application/vnd.oci.image.index.v1+json', digest: digest('3'), size: 6 },
    attested,
  ];

  it('keeps the order, platforms, nested indexes and attestations', () => {
    const index = parseImageIndex(json({ schemaVersion: 2, manifests }));
    expect(index.mediaType).toBe('application/vnd.oci.image.index.v1+json');
    expect(index.manifests[0]?.platform).toEqual({
      architecture: 'arm',
      os: 'linux',
      variant: 'v7',
      osVersion: '1',
    });
    expect(index.manifests.map(isNestedIndex)).toEqual([false, true, false]);
    expect(index.manifests.map(isAttestation)).toEqual([false, false, true]);
  });

  it("may be Docker's manifest list", () => {
    const mediaType = 'application/vnd.docker.distribution.manifest.list.v2+json';
    expect(parseImageIndex(json({ schemaVersion: 2, mediaType, manifests })).mediaType).toBe(mediaType);
  });
});

describe('an image config', () => {
  const document = {
    architecture: 'arm64',
    os: 'linux',
    variant: 'v8',
    created: '2026-01-02T03:04:05Z',
    config: { Env: ['A=b'], Labels: { a: '1', A: '2' } },
    rootfs: { type: 'layers', diff_ids: [digest('a'), digest('b')] },
    history: [
      { created: 'x', created_by: 'ADD', comment: 'c' },
      { created_by: 'ENV', empty_layer: true },
    ],
  };

  it('is platform, diffIDs, time and history', () => {
    expect(parseImageConfig(json(document))).toEqual({
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      diffIds: [digest('a'), digest('b')],
      created: '2026-01-02T03:04:05Z',
      history: [
        { created: 'x', createdBy: 'ADD', comment: 'c', emptyLayer: false },
        { createdBy: 'ENV', emptyLayer: true },
      ],
    });
  });

  it('may have no history, no platform, and no layer', () => {
    expect(parseImageConfig(json({ rootfs: { type: 'layers', diff_ids: [] } }))).toEqual({
      platform: { os: '', architecture: '' },
      diffIds: [],
      history: [],
    });
  });

  it.each([[{}], [{ rootfs: null }], [{ rootfs: { type: 'layers' } }], [{ name: 'chart', version: '1' }]])(
    'without diffIDs is an answer, not an error: %j',
    (other) => expect(parseImageConfig(json(other))).toBeUndefined(),
  );

  it('with a diffID that is no digest is refused', () => {
    expect(() => parseImageConfig(json({ rootfs: { diff_ids: ['sha256:1'] } }))).toThrow(
      expect.objectContaining({
        code: 'bad-document',
        fields: expect.objectContaining({ field: 'rootfs.diff_ids[0]' }),
      }),
    );
  });
});

describe('JSON of a stranger', () => {
  const parsers = [parseImageManifest, parseImageIndex, parseImageConfig];
  const refused = (bytes: Uint8Array, code: string) => {
    for (const parse of parsers)
      expect(() => parse(bytes)).toThrow(expect.objectContaining({ kind: 'invalid', code }));
  };

  it('bigger than 4 MiB is refused unread', () =>
    refused(Buffer.alloc(MAX_JSON_BYTES + 1, ' '), 'json-too-big'));

  it.each(['', '{', '{"a":1,}', 'null x', '\ufeff{}', '{"a":NaN}'])('that is none is refused: %j', (text) =>
    refused(Buffer.from(text), 'bad-json'),
  );

  it('that is no UTF-8 is refused', () => refused(Buffer.from('{"a":"\xff"}', 'latin1'), 'bad-json'));

  it.each(['null', '[]', '"x"', '3', 'true'])('that is no object is refused: %s', (text) =>
    refused(Buffer.from(text), 'bad-document'),
  );

  it('deep enough to hurt is refused', () => {
    const depth = 1_000_000;
    refused(Buffer.from(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`), 'bad-json');
    refused(Buffer.from(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`), 'bad-json');
  });

  it.each(['{"layers":[],"layers":[1]}', '{"a":{"b":1,"\\u0062":2}}', '{"x":[{"k":"}","k":""}]}'])(
    'with a key twice is refused, for Go merges what JavaScript replaces: %s',
    (text) => refused(Buffer.from(text), 'bad-json'),
  );

  it('may have one key in several objects, and braces and quotes in strings', () => {
    const text = '{"a":{"k":"\\"},{\\\\"},"b":[{"k":1},{"k":"k"}],"rootfs":{"diff_ids":[]}}';
    expect(parseImageConfig(Buffer.from(text))?.diffIds).toEqual([]);
  });

  it('cannot reach a prototype', () => {
    const text = `{"config":{"__proto__":{"mediaType":"x"},"digest":"${digest('c')}","size":1},"layers":[]}`;
    expect(() => parseImageManifest(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'bad-document' }),
    );
    const annotated = JSON.stringify(ociManifest).replace(
      '"config"',
      '"annotations":{"__proto__":"x"},"config"',
    );
    const { annotations } = parseImageManifest(Buffer.from(annotated));
    expect(Object.entries(annotations ?? {})).toEqual([['__proto__', 'x']]);
    expect(({} as Record<string, unknown>)['mediaType']).toBeUndefined();
  });

  it('gives a value or a Fault, never another error', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('config', 'layers', 'manifests', 'rootfs', 'history'),
        (value, key) => {
          for (const parse of parsers) {
            try {
              parse(json({ ...ociManifest, [key]: value }));
            } catch (thrown) {
              expect(thrown).toBeInstanceOf(Fault);
            }
          }
        },
      ),
    );
  });

  it('of any structure that JSON.stringify writes passes the check for keys', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(() => parseImageConfig(json({ other: value }))).not.toThrow();
      }),
    );
  });
});
