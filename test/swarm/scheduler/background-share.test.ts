import { BackgroundYield } from '../../../src/swarm/scheduler/background-share.ts';

describe('what the background may have', () => {
  it('is everything where no read has waited lately', () => {
    const share = new BackgroundYield();
    expect(share.share(0)).toBe('all');
    share.reading(1000);
    expect(share.share(2000)).toBe('all');
  });

  it('is nothing while reads wait one behind the other', () => {
    const share = new BackgroundYield();
    for (let now = 1000; now < 3000; now += 200) {
      share.reading(now);
      expect(share.share(now + 100)).toBe('none');
    }
  });

  it('is a little beside reads that never end, and nothing again in the next start', () => {
    const share = new BackgroundYield();
    for (let now = 0; now <= 12_000; now += 100) share.reading(now);
    expect(share.share(12_050)).toBe('little');
    share.reading(20_000);
    expect(share.share(20_050)).toBe('none');
  });
});
