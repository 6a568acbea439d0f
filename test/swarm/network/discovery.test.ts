import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { requirement } from '../../support/requirement.ts';
import { soon, testNetwork } from './test-network.ts';

/** multicast-dns sends where the default route points, and nowhere, silently, where there is none. */
const hasDefaultRoute = readFileSync('/proc/net/route', 'latin1')
  .split('\n')
  .some((line) => line.split('\t')[1] === '00000000');

const station = ({ stations }: Parameters<NonNullable<Parameters<typeof testNetwork>[1]>>[0]) =>
  stations.handle('/shp/blocks/1', () => {}, { maxInbound: 1 });

if (requirement('discovery by mDNS', hasDefaultRoute, 'there is no default route')) {
  describe('discovery by mDNS', () => {
    it('connects the stations of one private network, and those only', async () => {
      const [key, otherKey] = [randomBytes(32), randomBytes(32)];
      await using a = await testNetwork({ mdns: true, networkKey: key }, station);
      await using other = await testNetwork({ mdns: true, networkKey: otherKey }, station);
      await using b = await testNetwork({ mdns: true, networkKey: key }, station);
      const signal = soon();
      for (const { network } of [a, b]) {
        while (network.stations.connectedStations().length === 0) await network.stations.change(signal);
      }
      expect(a.network.stations.connectedStations()).toEqual([b.identity.peerId]);
      expect(other.network.peers()).toEqual([]);
      expect(other.network.refusals()).toEqual([]);
    });
  });
} else {
  it('knows why it does not run', () => expect(hasDefaultRoute).toBe(false));
}
