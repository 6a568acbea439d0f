import { chainFolder, planOverlay } from '../../src/mounts/overlay-plan.ts';

const paths = { fuse: '/var/lib/shp/run/fuse', empty: '/var/lib/shp/run/empty' };
const OFF = 'metacopy=off,redirect_dir=off,index=off';

describe('the plan of an overlay', () => {
  it('reads one chain, with an empty lower below it', () => {
    expect(planOverlay({ chain: 'bafyabc', target: '/mnt' }, paths)).toEqual([
      {
        source: 'shp',
        target: '/mnt',
        type: 'overlay',
        flags: ['rdonly', 'nosuid', 'nodev'],
        data: `lowerdir=/var/lib/shp/run/fuse/t/bafyabc:/var/lib/shp/run/empty,${OFF}`,
      },
    ]);
  });

  it('writes into an upper, with suid files and devices where they were asked for', () => {
    const upper = { upper: '/u/upper', work: '/u/work' };
    expect(planOverlay({ chain: 'bafyabc', target: '/mnt', upper, suid: true, dev: true }, paths)).toEqual([
      {
        source: 'shp',
        target: '/mnt',
        type: 'overlay',
        flags: [],
        data: `lowerdir=/var/lib/shp/run/fuse/t/bafyabc,upperdir=/u/upper,workdir=/u/work,${OFF}`,
      },
    ]);
    expect(planOverlay({ chain: 'a', target: '/mnt', upper, suid: true }, paths)[0]?.flags).toEqual([
      'nodev',
    ]);
  });

  it('escapes what ends an option or a lower', () => {
    const [call] = planOverlay(
      { chain: 'a', target: '/m', upper: { upper: '/a,b', work: '/a:b' } },
      { fuse: '/r\\1', empty: '/e' },
    );
    expect(call?.data).toBe(`lowerdir=/r\\\\1/t/a,upperdir=/a\\,b,workdir=/a\\:b,${OFF}`);
  });

  it('refuses keys and paths that are none', () => {
    for (const chain of ['', '..', 'a/b', 'a b', 'x'.repeat(129)]) {
      expect(() => planOverlay({ chain, target: '/m' }, paths)).toThrow(
        expect.objectContaining({ code: 'bad-chain-key' }),
      );
    }
    expect(() => planOverlay({ chain: 'a', target: 'm' }, paths)).toThrow(
      expect.objectContaining({ code: 'bad-mount-path' }),
    );
    expect(() =>
      planOverlay({ chain: 'a', target: '/m', upper: { upper: '/u\0', work: '/w' } }, paths),
    ).toThrow(expect.objectContaining({ code: 'bad-mount-path' }));
    expect(chainFolder('/f', 'a1')).toBe('/f/t/a1');
  });

  it('says what to do where the options do not fit a page, in bytes', () => {
    const plan = (letters: number): number =>
      Buffer.byteLength(
        planOverlay({ chain: 'a', target: '/m' }, { fuse: `/${'ü'.repeat(letters)}`, empty: '/e' })[0]
          ?.data ?? '',
      );
    const around = Math.floor((4095 - plan(1)) / 2) + 1;
    expect(plan(around)).toBeLessThanOrEqual(4095);
    expect(() => plan(around + 1)).toThrow(
      expect.objectContaining({ code: 'mount-options-too-long', message: expect.stringContaining('--root') }),
    );
  });
});
