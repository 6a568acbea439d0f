import { stationTag } from '../../config/identity-file.ts';
import type { NetworkView, StationStatus } from '../../observe/control/views.ts';
import type { CommandModule } from '../command-module.ts';
import { figureAge, figureCount, figureSize } from '../figures.ts';
import { mountRows, type Row } from '../mount-rows.ts';
import { stationClient } from '../station-client.ts';

export const status: CommandModule = (program, context) => {
  program
    .command('status')
    .summary('show what the station is and does')
    .action(async () => {
      const at = context();
      const found = await stationClient(at).call('status', undefined, at.signal);
      at.lines(statusLines(found, Date.now()), found);
    });
};

/** The network in words: `public`, `private 1a2b3c4d, LAN only`. */
export function networkWords(network: NetworkView): string {
  const kind = network.kind === 'private' ? `private ${network.fingerprint ?? ''}`.trim() : 'public';
  return network.lanOnly ? `${kind}, LAN only` : kind;
}

function statusLines(found: StationStatus, now: number): string[] {
  const { usage } = found;
  const rows: Row[] = [
    [
      'station',
      `${stationTag(found.peerId)}, running for ${figureAge(now - found.startedAt)} (process ${found.pid})`,
    ],
    ['peer id', found.peerId],
    ['version', found.version],
    ['root', found.root],
    [
      'network',
      `${networkWords(found.network)}; shares ${found.share === 'none' ? 'nothing' : `what was ${found.share}`}`,
    ],
    ['peers', `${found.peers} connected, ${found.stations} of them shp stations`],
    ['images', String(found.images)],
    [
      'stored',
      `${figureSize(usage.objectBytes + usage.blockBytes)} in ${figureCount(usage.objects, 'object')} and ${figureCount(usage.blocks, 'block')}${usage.partialBytes > 0 ? `, ${figureSize(usage.partialBytes)} half-fetched` : ''}`,
    ],
    ['memory', figureSize(found.memory)],
    ...found.operations.map(
      (operation): Row => [
        operation.kind,
        `${operation.subject}: ${figureSize(operation.bytes)}${operation.total === undefined ? '' : ` of ${figureSize(operation.total)}`}`,
      ],
    ),
    ...mountRows(found.mounts),
    ...found.network.refusals.slice(0, 3).map((refusal): Row => ['refused', refusal]),
  ];
  return rows.map(([name, value]) => `${name.padEnd(9)} ${value}`);
}
