import { CID } from 'multiformats/cid';
import type { Digest } from '../../src/base/digest.ts';
import { publishedRoot } from '../../src/image/dag/image-roots.ts';
import { type BuiltImage, sha256Digest } from '../support/image-archive.ts';
import { type Forgery, ofImage, suiteForger } from './support/forged-image.ts';
import { genuine, linkTo, other, pushedTo } from './support/genuine-image.ts';
import { attestation, descriptorOf, json } from './support/images.ts';
import { suitePair } from './support/suite-stations.ts';
import { expectEmpty, faultOf } from './support/two-stations.ts';

// Its hooks first: what it holds must be let go before the stations are looked at.
const forger = suiteForger(() => a.store);
const { a, b } = suitePair();

const pushed = (built: BuiltImage) => pushedTo(a, built);

describe('a pull refuses', () => {
  it('a manifest or a config that is not what its name says', async () => {
    const { root, link } = await pushed(genuine);
    const cases: [Forgery, object][] = [
      [
        {
          ...ofImage(genuine, [link]),
          manifest: Buffer.from(`${genuine.manifest} `),
          digest: genuine.manifestDigest,
        },
        { kind: 'corrupt', code: 'digest-mismatch', fields: { claimed: genuine.manifestDigest } },
      ],
      [
        { ...ofImage(genuine, [link]), config: other.config },
        { kind: 'corrupt', code: 'digest-mismatch', fields: { claimed: genuine.imageId } },
      ],
      [ofImage(genuine, []), { kind: 'corrupt', code: 'bad-root' }],
      [ofImage(genuine, [undefined, link]), { kind: 'corrupt', code: 'bad-root' }],
      [
        { ...ofImage(genuine, [link]), manifest: Buffer.from('{}') },
        { kind: 'invalid', code: 'bad-document' },
      ],
      [
        { ...ofImage(genuine, [link]), manifest: Buffer.from('[[') },
        { kind: 'invalid', code: 'bad-json' },
      ],
    ];
    for (const [forgery, expected] of cases) {
      expect(await faultOf(b.pull(await forger.image(forgery)))).toMatchObject(expected);
      await expectEmpty(b);
    }
    expect((await b.verify((await b.pull(root)).record)).problems).toEqual([]);
  });

  it("another blob in the place of an attestation's", async () => {
    const proof = attestation(genuine);
    for (const bytes of [Buffer.alloc(proof.statement.length, 'x'), Buffer.from('short')]) {
      const forged = await forger.image({
        manifest: proof.manifest,
        config: proof.blobs[0] as Buffer,
        layers: [forger.file(bytes)],
      });
      const fault = await faultOf(b.pull(forged, { platform: 'all' }));
      expect(fault.kind).toBe('corrupt');
      await expectEmpty(b);
    }
    const note = Buffer.from('a signature');
    const manifest = json({
      schemaVersion: 2,
      config: descriptorOf('application/vnd.oci.empty.v1+json', Buffer.from('{}')),
      layers: [descriptorOf('application/x-signature', note)],
    });
    const forged = await forger.image({
      manifest,
      config: Buffer.from('{}'),
      layers: [forger.file(Buffer.from('A signature'))],
    });
    expect(await faultOf(b.pull(forged))).toMatchObject({
      kind: 'corrupt',
      code: 'digest-mismatch',
      fields: { claimed: sha256Digest(note) },
    });
  });

  it('an image that a station gives out under the id of another', async () => {
    const { root } = await pushed(genuine);
    const stranger = await pushed(other);
    const record = a.store.images.get(stranger.root)!;
    const { imageId, digest } = a.store.images.get(root)!.manifests[0]!;
    // the station has the genuine config, and so the proof that it knows the id
    await a.store.images.put({
      ...record,
      manifests: record.manifests.map((manifest) => ({ ...manifest, imageId, digest })),
    });
    await a.store.images.remove(root);
    for (const id of [genuine.imageId, genuine.manifestDigest]) {
      const fault = await faultOf(b.pull(id.slice(7)));
      expect(fault.kind).toMatch(/^(corrupt|not-found)$/);
      await expectEmpty(b);
    }
  });

  it('counts beyond its limits', async () => {
    const { link } = await pushed(genuine);
    const layers = Array.from({ length: 600 }, () => genuine.layers[0]!);
    const many = { ...genuine, layers, diffIds: layers.map(({ diffId }) => diffId) };
    const config = json({
      ...JSON.parse(genuine.config.toString()),
      rootfs: { type: 'layers', diff_ids: many.diffIds },
    });
    const manifest = json({
      schemaVersion: 2,
      mediaType: genuine.manifestMediaType,
      config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map(({ mediaType, blob }) => descriptorOf(mediaType, blob)),
    });
    const tooMany = await forger.image({ manifest, config, layers: layers.map(() => link) });
    expect(await faultOf(b.pull(tooMany))).toMatchObject({ kind: 'invalid', code: 'too-many-layers' });

    const others = Array.from({ length: 300 }, (_, i) => ({
      digest: sha256Digest(Buffer.from(`${i}`)) as Digest,
      root: link,
    }));
    const crowd = await forger.image({ ...ofImage(genuine, [link]), others });
    expect(await faultOf(b.pull(crowd))).toMatchObject({
      kind: expect.stringMatching(/^(invalid|not-found)$/),
    });
    await expectEmpty(b);
  });

  it('an address that leads nowhere, or to no image', async () => {
    const { root } = await pushed(genuine);
    const record = a.store.images.get(root)!;
    const published = record.publishedRoots[0] as string;
    for (const reference of [`/ipfs/${published}/nothing`, record.manifests[0]!.layers[0]!.root as string]) {
      const fault = await faultOf(b.pull(reference));
      expect(`${fault.kind} ${fault.code}: ${fault.message}`).toMatch(/^(not-found|corrupt|invalid)/);
      await expectEmpty(b);
    }
  });

  it('to pin a published root that lists more than the image', async () => {
    const { root } = await pushed(genuine);
    const stranger = await pushed(other);
    const published = publishedRoot([
      { name: 'genuine', root: linkTo(root) },
      { name: 'more/other', root: linkTo(stranger.root) },
    ]);
    published.blocks.forEach(forger.block);
    const record = a.store.images.get(root)!;
    await a.store.images.put({
      ...record,
      publishedRoots: [...record.publishedRoots, published.cid.toString()],
    });
    const pulled = await b.pull(`/ipfs/${published.cid}/genuine`);
    expect(pulled.record.root).toBe(root);
    expect(pulled.address).toBe(`/ipfs/${published.cid}/genuine`);
    expect(pulled.record.publishedRoots).toEqual([]);
    await b.store.gc();
    expect(b.store.blocks.has(CID.parse(stranger.root))).toBe(false);
    expect(await faultOf(b.pull(`/ipfs/${published.cid}`))).toMatchObject({
      kind: expect.stringMatching(/not-found|corrupt/),
    });
  });
});
