import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startRegistry } from '../../../test/support/registry.ts';
import { startStation } from '../../station/station.ts';
import type { Benchmark } from '../context.ts';
import { pythonImage } from '../context.ts';
import { startDocker } from '../docker.ts';
import { pairFigure, plainFigure } from '../figure.ts';
import { makeLink } from '../link.ts';
import { timed } from '../machine.ts';
import { runPairs } from '../sampling.ts';
import { median } from '../statistics.ts';
import { newPuller, publish } from './pull-loopback.ts';

const TIME_TARGET = { atMost: 1 };
const WIRE_TARGET = { atMost: 1.05 };
/** 100 Mbit/s, 20 ms each way; half a megabyte of queue is two bandwidth-delay products of one way. */
const LINK = { rate: 100e6, delay: 20, queue: 512 * 1024 };

/** From one network namespace into another, over a wire with a rate and a delay. */
export const pullOverLink: Benchmark = {
  name: 'pull over a link of 100 Mbit/s and 20 ms',
  run: async (context) => {
    const image = await pythonImage(context);
    await using link = await makeLink(context.folder, LINK);
    const port = await freePort();
    await using registry = await startRegistry({ address: link.addressA, port, argv: link.a.prefix });
    await sleep(1000);
    const insecure = ['--insecure-registry', registry.host];
    const name = `${registry.host}/${image.name}`;
    {
      // Beside the registry, so that filling it does not cross the link.
      await using filler = await startDocker(context.folder, insecure, link.a.prefix);
      await publish(filler, image.path, image.name, name);
    }
    await using docker = await startDocker(context.folder, insecure, link.b.prefix);
    const settings = { parent: context.folder };
    await using seeder = await startStation({ ...settings, prefix: link.a.prefix, address: link.addressA });
    const pushed = await seeder.push(image.path);
    const blobs = registry.blobBytes();
    const wire = { shp: [] as number[], docker: [] as number[] };
    const counted = async (into: number[], work: () => Promise<unknown>) => {
      let before = 0;
      const seconds = await timed(() => {
        before = link.bytes();
        return work();
      });
      into.push(link.bytes() - before);
      return seconds;
    };
    const pairs = await runPairs(
      async () => {
        const there = { ...settings, prefix: link.b.prefix, address: link.addressB };
        await using puller = await newPuller(seeder.addr, there);
        return await counted(wire.shp, () => puller.pull(pushed.address));
      },
      async () => {
        const seconds = await counted(wire.docker, () => docker.docker('pull', '--quiet', name));
        await docker.forgetAll();
        return seconds;
      },
      TIME_TARGET,
      context.sampling,
    );
    return [
      pairFigure('pull over 100 Mbit/s and 20 ms each way', 's', 'docker pull', pairs, TIME_TARGET),
      plainFigure(
        'the same: bytes of IP packets / bytes of gzip blobs',
        median(wire.shp) / blobs,
        '',
        WIRE_TARGET,
      ),
      plainFigure('the same by docker pull', median(wire.docker) / blobs, ''),
    ];
  },
};
