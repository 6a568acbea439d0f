import { digestHex } from '../../base/digest.ts';
import type { ImageDetail, LayerView } from '../../observe/control/views.ts';
import type { CommandModule } from '../command-module.ts';
import { figureSize } from '../figures.ts';
import { stationClient } from '../station-client.ts';
import { renderTable } from '../table.ts';

export const inspect: CommandModule = (program, context) => {
  program
    .command('inspect')
    .argument('<image>', 'an image of this station: name, id or its beginning, hash of its root')
    .summary('show one image and its layers')
    .action(async (image: string) => {
      const at = context();
      const found = await stationClient(at).call('inspect', { image }, at.signal);
      at.lines(imageLines(found), found);
    });
};

function imageLines(image: ImageDetail): string[] {
  const rows: [string, string][] = [
    ['root', image.root],
    ...image.publishedRoots.map((root): [string, string] => ['published', `/ipfs/${root}`]),
    ...image.names.map((name): [string, string] => ['name', name]),
    ...(image.indexDigest === undefined ? [] : ([['index', image.indexDigest]] as [string, string][])),
    ['state', `${image.state}, ${image.shared ? 'shared' : 'not shared'}, from ${image.origin}`],
    ['size', figureSize(image.contentSize)],
    [
      'blobs',
      image.keptBlobs === 0 ? 'none kept' : `${image.keptBlobs} kept, ${figureSize(image.keptBlobBytes)}`,
    ],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(10)} ${value}`);
  for (const manifest of image.manifests) {
    const layers = image.layers.filter((layer) => layer.platform === manifest.platform);
    lines.push(
      '',
      `${manifest.platform}`,
      `  manifest ${manifest.digest}`,
      `  image id ${manifest.imageId}`,
      ...renderTable(['LAYER', 'DIFFID', 'TAR', 'ENTRIES', 'ROOT'], layers.map(layerRow)).map(
        (line) => `  ${line}`,
      ),
    );
  }
  return lines;
}

function layerRow(layer: LayerView): string[] {
  return [
    String(layer.index),
    layer.diffId === undefined ? layer.mediaType : digestHex(layer.diffId).slice(0, 12),
    figureSize(layer.tarSize ?? layer.size),
    layer.entries === undefined ? '-' : String(layer.entries),
    layer.root ?? 'left out: its bytes are elsewhere (foreign layer)',
  ];
}
