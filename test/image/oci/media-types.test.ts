import { findMediaType, isLayerTar, MEDIA_TYPES } from '../../../src/image/oci/media-types.ts';

describe('media types', () => {
  it('stand once each, and only layers say how they are packed', () => {
    expect(new Set(MEDIA_TYPES.map(({ name }) => name)).size).toBe(MEDIA_TYPES.length);
    for (const { kind, compression } of MEDIA_TYPES) expect(compression !== undefined).toBe(kind === 'layer');
  });

  it.each([
    ['application/vnd.oci.image.layer.v1.tar', 'none', undefined],
    ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip', undefined],
    ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd', undefined],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'gzip', true],
    ['application/vnd.docker.image.rootfs.diff.tar', 'none', undefined],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip', undefined],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'gzip', true],
  ])('%s is a layer packed with %s', (name, compression, foreign) => {
    expect(isLayerTar(name)).toBe(true);
    expect(findMediaType(name)).toMatchObject({ kind: 'layer', compression });
    expect(findMediaType(name)?.foreign).toBe(foreign);
  });

  it.each([
    ['application/vnd.oci.image.index.v1+json', 'index'],
    ['application/vnd.docker.distribution.manifest.list.v2+json', 'index'],
    ['application/vnd.oci.image.manifest.v1+json', 'manifest'],
    ['application/vnd.docker.distribution.manifest.v2+json', 'manifest'],
    ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'manifest-schema1'],
    ['application/vnd.oci.image.config.v1+json', 'config'],
    ['application/vnd.docker.container.image.v1+json', 'config'],
  ])('%s is of kind %s', (name, kind) => {
    expect(findMediaType(name)?.kind).toBe(kind);
    expect(isLayerTar(name)).toBe(false);
  });

  it.each([
    'application/vnd.in-toto+json',
    'application/vnd.oci.empty.v1+json',
    'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
    'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
    '',
    '__proto__',
  ])('%j is some other blob', (name) => {
    expect(findMediaType(name)).toBeUndefined();
    expect(isLayerTar(name)).toBe(false);
  });
});
