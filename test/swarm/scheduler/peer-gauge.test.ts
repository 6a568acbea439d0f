import { PeerGauge } from '../../../src/swarm/scheduler/peer-gauge.ts';

/** Lets a link deliver for a while: `rate` wire bytes a second, each `ratio` plain ones. */
function deliver(gauge: PeerGauge, from: number, ms: number, rate: number, ratio = 1): number {
  for (let at = 0; at <= ms; at += 10) {
    const wire = rate / 100;
    gauge.received(wire, wire * ratio, from + at);
  }
  return from + ms;
}

describe('what a peer earns', () => {
  it('fills a link of 100 Mbit/s and 20 ms, and grows with what is delivered', () => {
    const gauge = new PeerGauge('auto', undefined);
    gauge.roundTrip(20, true);
    deliver(gauge, 0, 2000, 12.5e6);
    expect(gauge.rate).toBeGreaterThan(11e6);
    expect(gauge.window()).toBeGreaterThan(12.5e6 * 0.02 * 2);
    expect(gauge.window()).toBeLessThan(4e6);
    const before = gauge.window();
    deliver(gauge, 5000, 2000, 50e6);
    expect(gauge.window()).toBeGreaterThan(before * 2);
  });

  it('keeps the smallest round trip under load, so that its own queue does not count as distance', () => {
    const gauge = new PeerGauge('auto', undefined);
    gauge.roundTrip(2, true);
    for (let i = 0; i < 20; i++) gauge.roundTrip(80, false);
    expect(gauge.latency).toBe(2);
    for (let i = 0; i < 20; i++) gauge.roundTrip(80, true);
    expect(gauge.latency).toBeGreaterThan(70);
  });

  it('loses its share when it stalls', () => {
    const gauge = new PeerGauge('auto', 1);
    deliver(gauge, 0, 2000, 40e6);
    const before = gauge.window();
    gauge.punish();
    expect(gauge.window()).toBeLessThan(before / 4);
  });
});

describe('the level of compression', () => {
  it('is none on a fast link, 3 at first on a far one, 6 on one of 100 Mbit/s', () => {
    const near = new PeerGauge('auto', 0.3);
    expect(near.level()).toBe(0);
    deliver(near, 0, 1000, 110e6);
    expect(near.level()).toBe(0);
    const far = new PeerGauge('auto', 20);
    expect(far.level()).toBe(3);
    deliver(far, 0, 1000, 12.5e6, 2.5);
    expect(far.level()).toBe(6);
  });

  it('is given up for a while where it did not make the peer faster', () => {
    const gauge = new PeerGauge('auto', 1);
    let at = deliver(gauge, 0, 1500, 10e6);
    expect(gauge.level()).toBe(6);
    at = deliver(gauge, at, 2500, 4e6, 2);
    expect(gauge.level()).toBe(0);
    at = deliver(gauge, at, 2000, 10e6);
    expect(gauge.level()).toBe(0);
  });

  it('is none for a near peer that is slow only at first', () => {
    const gauge = new PeerGauge('auto', 1);
    const at = deliver(gauge, 0, 300, 10e6);
    expect(gauge.level()).toBe(0);
    deliver(gauge, at, 1000, 90e6);
    expect(gauge.level()).toBe(0);
  });

  it('stays where it made the peer faster', () => {
    const gauge = new PeerGauge('auto', 1);
    const at = deliver(gauge, 0, 1500, 10e6);
    deliver(gauge, at, 4000, 10e6, 2.5);
    expect(gauge.level()).toBe(6);
  });

  it('is what the setting says otherwise', () => {
    expect(new PeerGauge('never', 50).level()).toBe(0);
    expect(new PeerGauge('always', 0).level()).toBe(3);
  });
});
