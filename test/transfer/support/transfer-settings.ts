import { DEFAULT_LAYER_LIMITS } from '../../../src/image/layer/layer-limits.ts';
import { DEFAULT_TAR_LIMITS } from '../../../src/image/tar/tar-limits.ts';
import type { TransferSettings } from '../../../src/transfer/transfer-components.ts';

/** The settings' defaults, with nothing kept in reserve on the disk of the tests. */
export const testTransferSettings: Omit<TransferSettings, 'root'> = {
  keepBlobs: 'auto',
  share: 'pulled',
  platform: 'linux/amd64',
  reserveBytes: 0,
  limits: {
    layerSize: 256 * 1024 ** 3,
    ratio: 200,
    json: 4 * 1024 * 1024,
    layers: 512,
    manifests: 256,
    layer: DEFAULT_LAYER_LIMITS,
    tar: { ...DEFAULT_TAR_LIMITS, fileSize: 256 * 1024 ** 3 },
  },
};
