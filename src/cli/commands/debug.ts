import type { FuseDebugView } from '../../observe/control/mount-views.ts';
import type { CommandModule } from '../command-module.ts';
import { figureSize } from '../figures.ts';
import { serverWords } from '../mount-rows.ts';
import { stationClient } from '../station-client.ts';
import { renderTable } from '../table.ts';

export const debug: CommandModule = (program, context) => {
  const command = program.command('debug').summary('show a block, a layer index, or how mounts are served');
  command
    .command('dag')
    .argument('<cid>', 'a block that is here; a path below it may follow: <cid>/layers/0')
    .summary('show one block and what it links')
    .action(async (cid: string) => {
      const at = context();
      const block = await stationClient(at).call('debugDag', { cid }, at.signal);
      const links = block.links.map(({ name, cid: child, tsize }) => [child, String(tsize), name]);
      const head = `${block.cid} ${block.kind}, ${block.size} bytes`;
      at.lines(links.length === 0 ? [head] : [head, ...renderTable(['CID', 'TSIZE', 'NAME'], links)], block);
    });
  command
    .command('layer')
    .argument('<cid>', 'a layer root that is here')
    .summary('show a layer index as text')
    .action(async (cid: string) => {
      const at = context();
      const layer = await stationClient(at).call('debugLayer', { cid }, at.signal);
      at.note(
        `${layer.entries} entries, ${layer.objects} objects, index ${figureSize(layer.indexBytes)}, recipe ${figureSize(layer.recipeBytes)}`,
      );
      if (layer.truncated) at.note(`only the first ${layer.lines.length} entries are shown`);
      at.lines(layer.lines, layer);
    });
  command
    .command('fuse')
    .summary('show what the mount server counted and did last')
    .action(async () => {
      const at = context();
      const found = await stationClient(at).call('debugFuse', undefined, at.signal);
      if (found.traced === false)
        at.note('requests and replies are kept from now on, for five minutes: ask again to see them');
      at.lines(fuseLines(found), found);
    });
};

function fuseLines({ server, chains, operations, trace }: FuseDebugView): string[] {
  const counts = Object.entries(operations).sort(([, a], [, b]) => b - a);
  const reads = chains.map((chain) => [
    chain.key,
    ...[chain.mounts, chain.passthroughOpens, chain.readOpens].map(String),
    ...[chain.waited, chain.waiting, chain.failed].map(String),
    `${Math.round(chain.waitP50)} ms`,
    `${Math.round(chain.waitP99)} ms`,
  ]);
  const head = ['CHAIN', 'MOUNTS', 'PASSTHROUGH', 'READ', 'WAITED', 'WAITING', 'FAILED', 'P50', 'P99'];
  return [
    server === undefined ? 'no mount server runs: nothing is mounted' : serverWords(server),
    ...(reads.length === 0 ? [] : renderTable(head, reads)),
    ...(counts.length === 0
      ? []
      : renderTable(
          ['OPERATION', 'COUNT'],
          counts.map(([name, count]) => [name, String(count)]),
        )),
    ...trace,
  ];
}
