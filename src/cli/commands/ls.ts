import { digestHex } from '../../base/digest.ts';
import type { ImageSummary } from '../../observe/control/views.ts';
import type { CommandModule } from '../command-module.ts';
import { figureAge, figureSize } from '../figures.ts';
import { stationClient } from '../station-client.ts';
import { renderTable } from '../table.ts';

export const ls: CommandModule = (program, context) => {
  program
    .command('ls')
    .summary('list the images of this station')
    .action(async () => {
      const at = context();
      const images = await stationClient(at).call('images', undefined, at.signal);
      const rows = images.map((image) => imageRow(image, Date.now()));
      at.lines(
        renderTable(['NAME', 'ID', 'PLATFORM', 'SIZE', 'BLOBS', 'STATE', 'COPIES', 'USED', 'ROOT'], rows),
        images,
      );
    });
};

function imageRow(image: ImageSummary, now: number): string[] {
  const [first, ...more] = image.manifests;
  return [
    // The form without `:latest` names the same thing.
    image.names.filter((name) => !image.names.includes(`${name}:latest`)).join(', ') || '-',
    first === undefined ? '-' : digestHex(first.imageId).slice(0, 12),
    `${first?.platform ?? '-'}${more.length > 0 ? ` +${more.length}` : ''}`,
    figureSize(image.contentSize),
    image.keptBlobs === 0 ? '-' : figureSize(image.keptBlobBytes),
    `${image.state}${image.shared ? ', shared' : ''}`,
    image.copies === undefined ? '-' : String(image.copies),
    `${figureAge(now - image.usedAt)} ago`,
    image.root,
  ];
}
