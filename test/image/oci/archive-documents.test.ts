import { parseDigest } from '../../../src/base/digest.ts';
import { cleanArchivePath, resolveArchiveLink } from '../../../src/image/oci/archive-path.ts';
import {
  archiveConfigPath,
  archiveLayerPath,
  parseDockerArchiveManifest,
  writeDockerArchiveManifest,
} from '../../../src/image/oci/docker-archive.ts';
import { parseImageIndex } from '../../../src/image/oci/image-index.ts';
import {
  checkOciLayout,
  layoutBlobPath,
  layoutImageName,
  writeLayoutIndex,
  writeOciLayout,
} from '../../../src/image/oci/oci-layout.ts';

const id = parseDigest(`sha256:${'ab'.repeat(32)}`);
const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: id, size: 9 } as const;

describe("a docker-archive's manifest.json", () => {
  it('lists images as Docker before 25 and after wrote them', () => {
    const text = JSON.stringify([
      { Config: 'c.json', RepoTags: ['alpine:3', 'alpine:latest'], Layers: ['1/layer.tar', '2/layer.tar'] },
      {
        Config: 'blobs/sha256/c',
        RepoTags: null,
        Layers: ['blobs/sha256/l'],
        LayerSources: { x: { size: 1 } },
      },
    ]);
    expect(parseDockerArchiveManifest(Buffer.from(text))).toEqual([
      { config: 'c.json', repoTags: ['alpine:3', 'alpine:latest'], layers: ['1/layer.tar', '2/layer.tar'] },
      { config: 'blobs/sha256/c', repoTags: [], layers: ['blobs/sha256/l'] },
    ]);
  });

  it('is written so that it reads the same', () => {
    const images = [
      { config: archiveConfigPath(id), repoTags: ['a:b'], layers: [archiveLayerPath(id)] },
      { config: 'x', repoTags: [], layers: [] },
    ];
    const bytes = writeDockerArchiveManifest(images);
    expect(parseDockerArchiveManifest(bytes)).toEqual(images);
    expect(bytes.toString()).toBe(
      `[{"Config":"${'ab'.repeat(32)}.json","RepoTags":["a:b"],"Layers":["${'ab'.repeat(32)}/layer.tar"]},` +
        '{"Config":"x","RepoTags":null,"Layers":[]}]',
    );
  });

  it('without an image says so', () => {
    expect(() => parseDockerArchiveManifest(Buffer.from('[]'))).toThrow(
      expect.objectContaining({ kind: 'not-found', code: 'no-image-in-archive' }),
    );
  });

  it.each([
    '{}',
    '[1]',
    '[{"RepoTags":[]}]',
    '[{"Config":"c","Layers":[1]}]',
    '[{"Config":"c","Layers":"x"}]',
  ])('that is damaged is refused: %s', (text) => {
    expect(() => parseDockerArchiveManifest(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'bad-document' }),
    );
  });
});

describe('a path inside an archive', () => {
  it.each([
    ['./a/b', 'a/b'],
    ['/a//b/', 'a/b'],
    ['a/x/../b', 'a/b'],
  ])('%s is %s', (path, clean) => expect(cleanArchivePath(path)).toBe(clean));

  it.each(['', '.', '..', '../a', 'a/../../b', 'a\0b'])('%j is none', (path) => {
    expect(() => cleanArchivePath(path)).toThrow(expect.objectContaining({ code: 'archive-path' }));
  });

  it.each([
    ['x/layer.tar', '../y/layer.tar', 'y/layer.tar'],
    ['x/layer.tar', 'other.tar', 'x/other.tar'],
    ['link', 'blobs/sha256/a', 'blobs/sha256/a'],
    ['x/link', '/a', 'a'],
  ])('a link at %s to %s leads to %s', (link, target, path) => {
    expect(resolveArchiveLink(link, target)).toBe(path);
  });

  it('a link cannot lead out', () => {
    expect(() => resolveArchiveLink('x/layer.tar', '../../etc/passwd')).toThrow(
      expect.objectContaining({ code: 'archive-path' }),
    );
  });
});

describe('an OCI layout', () => {
  it('is of version 1.0.0', () => {
    expect(writeOciLayout().toString()).toBe('{"imageLayoutVersion":"1.0.0"}');
    expect(() => checkOciLayout(writeOciLayout())).not.toThrow();
    expect(() => checkOciLayout(Buffer.from('{"imageLayoutVersion":"2.0.0"}'))).toThrow(
      expect.objectContaining({ kind: 'unsupported', code: 'layout-version' }),
    );
    expect(() => checkOciLayout(Buffer.from('{}'))).toThrow(
      expect.objectContaining({ code: 'bad-document' }),
    );
  });

  it('keeps blobs by digest', () => {
    expect(layoutBlobPath(id)).toBe(`blobs/sha256/${'ab'.repeat(32)}`);
  });

  it('has an index that reads as it was written, named as containerd and docker do', () => {
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7', osVersion: '1' };
    const bytes = writeLayoutIndex([
      { descriptor: { ...descriptor, platform }, name: 'alpine' },
      { descriptor },
    ]);
    const { manifests } = parseImageIndex(bytes);
    expect(manifests).toEqual([
      {
        ...descriptor,
        platform,
        annotations: {
          'io.containerd.image.name': 'docker.io/library/alpine:latest',
          'org.opencontainers.image.ref.name': 'latest',
        },
      },
      descriptor,
    ]);
    expect(manifests.map(layoutImageName)).toEqual(['docker.io/library/alpine:latest', undefined]);
  });

  it.each([
    [{ 'org.opencontainers.image.ref.name': 'latest' }, undefined],
    [{ 'org.opencontainers.image.ref.name': 'ghcr.io/x/y:1' }, 'ghcr.io/x/y:1'],
    [{ 'org.opencontainers.image.ref.name': 'alpine:3' }, 'docker.io/library/alpine:3'],
    [
      { 'io.containerd.image.name': 'docker.io/a/b:c', 'org.opencontainers.image.ref.name': 'c' },
      'docker.io/a/b:c',
    ],
    [{ 'org.opencontainers.image.ref.name': 'NOT/a name' }, undefined],
    [{}, undefined],
  ])('names by annotation %j: %s', (annotations, name) => {
    expect(layoutImageName({ ...descriptor, annotations })).toBe(name);
  });
});
