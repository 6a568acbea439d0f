import type { Layerfs, LayerfsComponents, LayerfsSettings } from './layerfs.ts';

/** Made inside the FUSE thread. Chains are added by commands. */
export function createLayerfs(_components: LayerfsComponents, _settings: LayerfsSettings): Layerfs {
  throw new Error('not built yet');
}
