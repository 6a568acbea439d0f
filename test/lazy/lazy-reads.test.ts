import { writeFileSync } from 'node:fs';
import { storeLayout } from '../../src/store/store-layout.ts';
import { bytesOf } from '../store/store-fixture.ts';
import { buildImage, dockerArchive } from '../support/image-archive.ts';
import { file } from '../support/layer-tar.ts';
import { faultOf } from '../transfer/support/faults.ts';
import { transferStation } from '../transfer/support/two-stations.ts';
import { bytesHere, wantOf } from './support/lazy-content.ts';
import { lazyPair, lazyStation } from './support/lazy-station.ts';
import { slowLink } from './support/slow-link.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const LEAF = 256 * KiB;
const BIG = bytesOf(100, 4 * MiB);

const image = buildImage({
  architecture: 'amd64',
  layers: [
    Array.from({ length: 40 }, (_, i) => file(`lib/${i}`, bytesOf(i, 200 * KiB))),
    [file('big', BIG), file('small', bytesOf(101, 9000))],
  ],
  names: ['app:1'],
});
const soon = (): AbortSignal => AbortSignal.timeout(30_000);

describe('a read that waits', () => {
  it('overtakes the background, and no block comes twice', async () => {
    await using pair = await lazyPair({ swarm: { serve: { uploadLimit: 4 * MiB } } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const before = b.received(source);
    // the end of the last layer: by itself it would come last
    const last = wantOf(b, opened, 'big', [14, 16]);
    await b.lazy.want(last, soon());
    const range = bytesHere(b, last.cid, false).subarray(14 * LEAF);
    expect(range.equals(BIG.subarray(14 * LEAF))).toBe(true);
    const { here, bytes } = b.view(opened.key)!;
    expect(here).toBeLessThan(bytes * 0.8);
    const view = await b.reaches(opened.key, 'complete');
    // what was under way when it was asked for may have been sent already
    expect(b.received(source) - before).toBeLessThanOrEqual(view.bytes + 2 * LEAF);
  });

  it('need not wait for a background that is held to a rate, and leaves nothing out of it', async () => {
    await using pair = await lazyPair({ lazy: { backgroundRate: 4 * MiB } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const small = wantOf(b, opened, 'small');
    expect(await b.lazy.want(small, soon())).toEqual({ complete: true });
    const { here, bytes } = b.view(opened.key)!;
    expect(here).toBeLessThan(bytes / 2);
    const view = await b.reaches(opened.key, 'complete');
    expect(view.byPeer).toEqual({ [source.id]: view.bytes });
  });

  it('shares what it brings with others that wait for it', async () => {
    await using pair = await lazyPair({
      lazy: { background: 'off' },
      swarm: { serve: { uploadLimit: 4 * MiB } },
    });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const before = b.received(source);
    const big = wantOf(b, opened, 'big');
    const all = await Promise.all(Array.from({ length: 20 }, () => b.lazy.want(big, soon())));
    expect(all.every(({ complete }) => complete)).toBe(true);
    expect(b.received(source) - before).toBe(4 * MiB);
  });

  it('goes on when its peer goes and comes back under another address', async () => {
    await using source = await transferStation();
    await using b = await lazyStation({ lazy: { background: 'off' } });
    await source.push(dockerArchive([image]));
    const first = await slowLink(source, 1);
    await b.station.swarm.connect(first.address, soon());
    const opened = await b.open('app:1');
    await first[Symbol.asyncDispose]();
    while (b.station.swarm.peers().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const small = wantOf(b, opened, 'small');
    const waiting = b.lazy.want(small, soon());
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await using second = await slowLink(source, 1);
    await b.station.swarm.connect(second.address, soon());
    expect(await waiting).toEqual({ complete: true });
    expect(bytesHere(b, small.cid, true).equals(bytesOf(101, 9000))).toBe(true);
  });

  it('fails when no peer has it for mount.wait, with image, file, block and the peers asked, in the log too', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off', waitMs: 800 } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const small = wantOf(b, opened, 'small');
    await source.store.quarantine(small.cid);
    const fault = await faultOf(b.lazy.want(small, soon()));
    const fields = { image: 'app:1', file: 'small', block: small.cid.toString(), peers: [source.id] };
    expect(fault).toMatchObject({ kind: 'unavailable', code: 'no-peer-has-block', fields });
    expect(b.log).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining(fields) }),
    );
    // the others are served on
    expect(await b.lazy.want(wantOf(b, opened, 'lib/3'), soon())).toEqual({ complete: true });
  });

  it('is cancelled by its signal, and only it', async () => {
    await using pair = await lazyPair({
      lazy: { background: 'off' },
      swarm: { serve: { uploadLimit: MiB } },
    });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const cancel = new AbortController();
    const big = wantOf(b, opened, 'big');
    const first = faultOf(b.lazy.want(big, cancel.signal));
    const second = b.lazy.want({ ...big, first: 0, end: 2 }, soon());
    setTimeout(() => cancel.abort(), 300);
    expect(await first).toMatchObject({ kind: 'cancelled' });
    expect(await second).toEqual({ complete: false });
    expect(
      bytesHere(b, big.cid, false)
        .subarray(0, 2 * LEAF)
        .equals(BIG.subarray(0, 2 * LEAF)),
    ).toBe(true);
  });

  it('takes no wrong bytes: the peer that lies is dropped, another one is asked', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source: liar, b } = pair;
    await using honest = await transferStation();
    await liar.push(dockerArchive([image]));
    await honest.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const small = wantOf(b, opened, 'small');
    writeFileSync(storeLayout(liar.root).object(small.cid.toString()), bytesOf(666, 9000));
    const waiting = b.lazy.want(small, soon());
    await b.station.connect(honest);
    expect(await waiting).toEqual({ complete: true });
    expect(bytesHere(b, small.cid, true).equals(bytesOf(101, 9000))).toBe(true);
    const dropped = b.station.swarm.peers().find(({ id }) => id === liar.id)?.dropped;
    expect(dropped ?? 'gone').toMatch(/wrong bytes|gone/);
    // by a lane or by bitswap, once
    const { [liar.id]: lies, ...others } = b.view(opened.key)!.byPeer;
    expect([lies, Object.values(others)]).toEqual([undefined, [9000]]);
  });

  it('is refused where there are no such leaves', async () => {
    await using pair = await lazyPair({ lazy: { background: 'off' } });
    const { source, b } = pair;
    await source.push(dockerArchive([image]));
    const opened = await b.open('app:1');
    const small = wantOf(b, opened, 'small');
    const wrong = [
      { ...small, layer: 2 },
      { ...small, layer: -1 },
      { ...small, object: 1000 },
      { ...small, object: 0.5 },
      { ...small, end: 2 },
      { ...small, first: 1 },
    ];
    for (const want of wrong) {
      expect(await faultOf(b.lazy.want(want, soon()))).toMatchObject({
        kind: 'invalid',
        code: 'no-such-leaves',
      });
    }
    expect(await faultOf(b.lazy.want({ ...small, key: opened.imageRoot }, soon()))).toMatchObject({
      kind: 'not-found',
      code: 'unknown-image',
    });
  });
});
