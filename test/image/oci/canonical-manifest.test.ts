import { digestOfBytes, parseDigest } from '../../../src/base/digest.ts';
import { canonicalManifest } from '../../../src/image/oci/canonical-manifest.ts';
import { parseImageManifest } from '../../../src/image/oci/image-manifest.ts';

const digest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`);

describe('the canonical manifest', () => {
  const bytes = canonicalManifest({ digest: digest('c'), size: 1234 }, [
    { diffId: digest('1'), size: 10_240 },
    { diffId: digest('2'), size: 2 ** 40 },
  ]);

  it('has these bytes for ever', () => {
    expect(bytes.toString()).toBe(
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",' +
        '"config":{"mediaType":"application/vnd.oci.image.config.v1+json",' +
        '"digest":"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","size":1234},' +
        '"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",' +
        '"digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":10240},' +
        '{"mediaType":"application/vnd.oci.image.layer.v1.tar",' +
        '"digest":"sha256:2222222222222222222222222222222222222222222222222222222222222222","size":1099511627776}]}',
    );
    expect(digestOfBytes(bytes)).toBe(
      'sha256:f2039eb856db73b54ae8a13d405e17f0f5da42281042b7b0bd1fc87230c601dc',
    );
  });

  it('is a manifest like any other, also of an image without layers', () => {
    expect(parseImageManifest(bytes).layers.map(({ size }) => size)).toEqual([10_240, 2 ** 40]);
    expect(parseImageManifest(canonicalManifest({ digest: digest('c'), size: 2 }, [])).layers).toEqual([]);
  });
});
