import { digestOfBytes } from '../../../src/base/digest.ts';
import { makeIdentity } from '../../../src/config/identity-file.ts';
import { openTrust, parsePeerId } from '../../../src/swarm/trust/station-trust.ts';
import { openTestStore } from '../../store/store-fixture.ts';
import { tempFolder } from '../../support/temp-folder.ts';

describe('trust', () => {
  it('keeps the order in which stations were added, over a restart', async () => {
    using folder = tempFolder('trust');
    const [a, b] = [makeIdentity().peerId, makeIdentity().peerId];
    let store = await openTestStore(folder.path);
    let trust = openTrust(store);
    const seen: string[] = [];
    trust.onChange((peer, trusted) => seen.push(`${peer} ${trusted}`));
    await trust.add(a);
    await trust.add(` ${b} `);
    expect(trust.list()).toEqual([a, b]);
    expect([trust.rank(a), trust.rank(b), trust.rank('x')]).toEqual([0, 1, undefined]);
    expect(seen).toEqual([`${a} true`, `${b} true`]);
    await store.close();
    store = await openTestStore(folder.path);
    trust = openTrust(store);
    expect(trust.list()).toEqual([a, b]);
    await store.close();
  });

  it('forgets what a station signed when trust ends', async () => {
    using folder = tempFolder('trust');
    const store = await openTestStore(folder.path);
    const trust = openTrust(store);
    const peer = makeIdentity().peerId;
    await trust.add(peer);
    const diffId = digestOfBytes(Buffer.from('x'));
    const root = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
    await store.bindings.put({ diffId, root, tarSize: 1, source: peer });
    await trust.remove(peer);
    expect(store.bindings.get(diffId)).toBeUndefined();
    await store.close();
  });

  it('says what is wrong', async () => {
    using folder = tempFolder('trust');
    const store = await openTestStore(folder.path);
    const trust = openTrust(store);
    const peer = makeIdentity().peerId;
    await trust.add(peer);
    await expect(trust.add(peer)).rejects.toMatchObject({ kind: 'exists', code: 'already-trusted' });
    await expect(trust.remove(makeIdentity().peerId)).rejects.toMatchObject({ code: 'not-trusted' });
    for (const bad of ['', 'x', '/ip4/1.2.3.4', '12D3KooW']) {
      await expect(trust.add(bad)).rejects.toMatchObject({ code: 'bad-peer-id', fields: { peer: bad } });
    }
    await store.close();
  });

  it('reads all forms of a peer id', () => {
    expect(parsePeerId('QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN')).toBe(
      'QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN',
    );
  });
});
