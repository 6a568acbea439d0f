import type { TransferComponents, TransferSettings } from '../transfer-components.ts';
import type { LazyImages } from './lazy-images.ts';
import type { LazySettings } from './lazy-settings.ts';
import type { Profiles } from './profiles.ts';

/** See {@link LazyImages}; `resume` is to be called once the swarm runs. */
export function createLazyImages(
  _components: TransferComponents,
  _settings: TransferSettings & LazySettings,
): LazyImages & { readonly profiles: Profiles } {
  throw new Error('not built yet');
}
