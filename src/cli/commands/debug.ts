import type { CommandModule } from '../command-module.ts';
import { figureSize } from '../figures.ts';
import { stationClient } from '../station-client.ts';
import { renderTable } from '../table.ts';

export const debug: CommandModule = (program, context) => {
  const command = program.command('debug').summary('show a block or a layer index');
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
};
