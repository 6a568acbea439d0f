import { CID } from 'multiformats/cid';
import { imageIdOf, publicStation, publish, soon, type TestStation, testStation } from './test-swarm.ts';

const link = async (a: TestStation, ...others: TestStation[]) => {
  for (const other of others) await a.swarm.connect(other.addr, soon());
};
const resolveName = ({ swarm }: TestStation, name: string, from?: string) =>
  swarm.resolve({ kind: 'name', name }, { signal: soon(), ...(from === undefined ? {} : { from }) });
const resolveId = ({ swarm }: TestStation, prefix: string, from?: string) =>
  swarm.resolve({ kind: 'id', prefix }, { signal: soon(), ...(from === undefined ? {} : { from }) });

describe('resolve an id', () => {
  it('from a station that was just connected, with the path below its published root', async () => {
    await using a = await testStation();
    await using b = await testStation();
    const image = await publish(a, 1, { names: ['jbenet/go-ipfs', 'jbenet/go-ipfs:latest'] });
    await link(b, a);
    const id = imageIdOf(image);
    const found = await resolveId(b, id.slice(0, 12));
    expect(found).toMatchObject({
      path: [id.slice(0, 12)],
      digest: `sha256:${id}`,
      trusted: false,
      peers: [a.id],
      names: ['jbenet/go-ipfs', 'jbenet/go-ipfs:latest'],
    });
    expect(found.imageRoot.toString()).toBe(image.record.root);
    expect(found.publishedRoot?.toString()).toBe(image.published);
  });

  it('takes the manifest digest as well, with sha256: before it', async () => {
    await using a = await testStation();
    await using b = await testStation();
    const image = await publish(a, 1);
    await link(b, a);
    const digest = image.record.manifests[0]?.digest ?? '';
    expect(await resolveId(b, digest)).toMatchObject({ digest, peers: [a.id] });
  });

  it('here first, without asking anyone', async () => {
    await using a = await testStation();
    const image = await publish(a, 1, { shared: false });
    const found = await resolveId(a, imageIdOf(image).slice(0, 6));
    expect(found).toMatchObject({ trusted: true, peers: [] });
    expect(found.imageRoot.toString()).toBe(image.record.root);
  });

  it('never from an image that is not shared', async () => {
    await using a = await testStation();
    await using b = await testStation();
    const image = await publish(a, 1, { shared: false, names: ['secret:latest'] });
    await link(b, a);
    await expect(resolveId(b, imageIdOf(image))).rejects.toMatchObject({
      kind: 'not-found',
      code: 'unknown-image',
      fields: { image: imageIdOf(image), asked: 1 },
    });
    await expect(resolveName(b, 'secret')).rejects.toMatchObject({ code: 'unknown-image' });
  });

  it('names all that have it, trusted stations first', async () => {
    await using a = await testStation();
    await using b = await testStation();
    await using c = await testStation();
    const image = await publish(a, 1);
    await publish(b, 1);
    await link(c, a, b);
    const found = await resolveId(c, imageIdOf(image));
    expect(found.trusted).toBe(false);
    expect([...found.peers].sort()).toEqual([a.id, b.id].sort());
    await c.swarm.trust.add(b.id);
    expect(await resolveId(c, imageIdOf(image))).toMatchObject({ trusted: true, peers: [b.id, a.id] });
  });

  it('refuses ids that are too short, and short ones where full ones are asked for', async () => {
    await using a = await testStation({ fullIds: true });
    const image = await publish(a, 1);
    await expect(resolveId(a, 'c1d9b')).rejects.toMatchObject({ code: 'id-too-short' });
    await expect(resolveId(a, imageIdOf(image).slice(0, 12))).rejects.toMatchObject({ code: 'id-too-short' });
    expect(await resolveId(a, imageIdOf(image))).toMatchObject({ trusted: true });
  });

  it('says how many stations were asked, or that none is connected', async () => {
    await using a = await testStation({ resolveWaitMs: 200 });
    await using b = await testStation();
    await expect(resolveId(a, 'c1d9bf8d8844')).rejects.toMatchObject({
      code: 'unknown-image',
      message: expect.stringContaining('no station is connected'),
    });
    await link(a, b);
    await expect(resolveId(a, 'c1d9bf8d8844')).rejects.toMatchObject({
      message: expect.stringContaining('asked 1 station'),
    });
  });

  it('waits for a station that connects meanwhile', async () => {
    await using a = await testStation();
    await using b = await testStation();
    const image = await publish(a, 1);
    const found = resolveId(b, imageIdOf(image));
    await link(b, a);
    expect(await found).toMatchObject({ peers: [a.id] });
  });

  it('ends at once when it is aborted', async () => {
    await using a = await testStation();
    const abort = new AbortController();
    const found = a.swarm.resolve({ kind: 'id', prefix: 'c1d9bf8d8844' }, { signal: abort.signal });
    abort.abort();
    await expect(found).rejects.toMatchObject({ kind: 'cancelled' });
  });
});

describe('resolve a name', () => {
  it('from any member of a private network, in every form of the name', async () => {
    await using a = await testStation();
    await using b = await testStation();
    const image = await publish(a, 1, { names: ['jbenet/go-ipfs', 'jbenet/go-ipfs:latest'] });
    await link(b, a);
    for (const name of ['jbenet/go-ipfs', 'jbenet/go-ipfs:latest', 'docker.io/jbenet/go-ipfs']) {
      const found = await resolveName(b, name);
      expect(found).toMatchObject({ trusted: true, peers: [a.id], path: ['jbenet', 'go-ipfs'] });
      expect(found.imageRoot.toString()).toBe(image.record.root);
    }
  });

  it('not from members where they are not trusted with names', async () => {
    await using a = await testStation();
    await using b = await testStation({ trustMembers: 'none' });
    await publish(a, 1, { names: ['app', 'app:latest'] });
    await link(b, a);
    await expect(resolveName(b, 'app')).rejects.toMatchObject({ kind: 'denied', code: 'untrusted-name' });
  });

  it('prefers its own image, then the trusted stations in their order', async () => {
    await using a = await testStation();
    await using b = await testStation();
    await using c = await testStation();
    const names = ['app', 'app:latest'];
    const [ofA, ofB] = [await publish(a, 1, { names }), await publish(b, 2, { names })];
    await link(c, a, b);
    await c.swarm.trust.add(b.id);
    await c.swarm.trust.add(a.id);
    expect((await resolveName(c, 'app')).imageRoot.toString()).toBe(ofB.record.root);
    await c.swarm.trust.remove(b.id);
    expect((await resolveName(c, 'app')).imageRoot.toString()).toBe(ofA.record.root);
    const own = await publish(c, 3, { names, shared: false });
    expect(await resolveName(c, 'app')).toMatchObject({ peers: [], imageRoot: CID.parse(own.record.root) });
  });

  it('stops when two members give it to different images, and remembers what was chosen', async () => {
    await using a = await testStation();
    await using b = await testStation();
    await using c = await testStation();
    const names = ['app', 'app:latest'];
    const [ofA, ofB] = [await publish(a, 1, { names }), await publish(b, 2, { names })];
    await link(c, a, b);
    const refused = resolveName(c, 'app');
    await expect(refused).rejects.toMatchObject({
      kind: 'invalid',
      code: 'ambiguous-name',
      message: expect.stringContaining('--from <peer>'),
    });
    const { fields } = await refused.catch((fault) => fault);
    expect([...fields.answers].sort()).toEqual(
      [`${a.id} ${ofA.record.root}`, `${b.id} ${ofB.record.root}`].sort(),
    );
    expect((await resolveName(c, 'app', b.id)).imageRoot.toString()).toBe(ofB.record.root);
    expect((await resolveName(c, 'app')).imageRoot.toString()).toBe(ofB.record.root);
  });

  it('takes the answer of the peer in /ipns/, and remembers nothing of it', async () => {
    await using a = await testStation();
    await using b = await testStation();
    await using c = await testStation();
    const names = ['app', 'app:latest'];
    const [ofA] = [await publish(a, 1, { names }), await publish(b, 2, { names })];
    await link(c, a, b);
    const found = await c.swarm.resolve({ kind: 'ipns', peer: a.id, name: 'app' }, { signal: soon() });
    expect(found).toMatchObject({ trusted: true, peers: [a.id], imageRoot: CID.parse(ofA.record.root) });
    await expect(resolveName(c, 'app')).rejects.toMatchObject({ code: 'ambiguous-name' });
  });

  it('is no conflict where two members have the same image', async () => {
    await using a = await testStation();
    await using b = await testStation();
    await using c = await testStation();
    const names = ['app', 'app:latest'];
    await publish(a, 1, { names });
    await publish(b, 1, { names });
    await link(c, a, b);
    expect((await resolveName(c, 'app')).peers).toHaveLength(2);
  });

  it('on the public network only from trusted stations, or one asked for', async () => {
    await using a = await publicStation();
    await using b = await publicStation();
    const image = await publish(a, 1, { names: ['app', 'app:latest'] });
    await link(b, a);
    await expect(resolveName(b, 'app')).rejects.toMatchObject({
      kind: 'denied',
      code: 'untrusted-name',
      message: expect.stringContaining('dkr-shp trust add'),
      fields: { answers: [`${a.id} ${image.record.root}`] },
    });
    expect(await resolveName(b, 'app', a.id)).toMatchObject({ trusted: true, peers: [a.id] });
    await b.swarm.trust.add(a.id);
    expect(await resolveName(b, 'app')).toMatchObject({ trusted: true });
  });

  it('on the word of a trusted station that has gone, from one that has the image', async () => {
    const a = await publicStation();
    await using b = await publicStation();
    await using c = await publicStation();
    const names = ['app', 'app:latest'];
    const image = await publish(a, 1, { names });
    await publish(b, 1, { names });
    await c.swarm.trust.add(a.id);
    await link(c, a, b);
    expect((await resolveName(c, 'app')).peers).toEqual([a.id, b.id]);
    // Its catalogue comes beside the answer.
    await new Promise((wake) => setTimeout(wake, 300));
    await a[Symbol.asyncDispose]();
    while (c.swarm.peers().length > 1) await new Promise((wake) => setTimeout(wake, 5));
    const found = await resolveName(c, 'app');
    expect(found).toMatchObject({ trusted: true, peers: [b.id] });
    expect(found.imageRoot.toString()).toBe(image.record.root);
  });

  it('gives no names of a stranger to an image that was asked for by its id', async () => {
    await using a = await publicStation();
    await using b = await publicStation();
    const image = await publish(a, 1, { names: ['debian', 'debian:latest'] });
    await link(b, a);
    expect(await resolveId(b, imageIdOf(image))).toMatchObject({ trusted: false, names: [] });
    expect(await resolveId(b, imageIdOf(image), a.id)).toMatchObject({ trusted: true });
  });

  it('says that the station asked for is not connected', async () => {
    await using a = await testStation();
    await expect(resolveName(a, 'app', a.id)).rejects.toMatchObject({ code: 'not-connected' });
    await expect(resolveName(a, 'app', 'nobody')).rejects.toMatchObject({ code: 'bad-peer-id' });
    await expect(
      a.swarm.resolve({ kind: 'ipns', peer: a.id, name: 'app' }, { signal: soon() }),
    ).rejects.toMatchObject({ code: 'not-connected' });
  });
});

describe('resolve an address', () => {
  it('is the address itself, known here or not', async () => {
    await using a = await testStation();
    const image = await publish(a, 1, { names: ['app'] });
    const here = await a.swarm.resolve(
      { kind: 'cid', cid: CID.parse(image.published), path: ['app'] },
      { signal: soon() },
    );
    expect(here).toMatchObject({ trusted: true, path: ['app'], names: ['app'] });
    expect(here.imageRoot.toString()).toBe(image.record.root);
    const cid = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku');
    const elsewhere = await a.swarm.resolve({ kind: 'cid', cid, path: ['x'] }, { signal: soon() });
    expect(elsewhere).toMatchObject({
      trusted: true,
      imageRoot: cid,
      publishedRoot: cid,
      path: ['x'],
      peers: [],
    });
  });
});
