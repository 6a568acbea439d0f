import { SETTINGS, type Settings } from '../config/settings-table.ts';
import { DEFAULT_LAYER_LIMITS } from '../image/layer/layer-limits.ts';
import { formatPlatform, machinePlatform } from '../image/oci/platform.ts';
import { DEFAULT_TAR_LIMITS } from '../image/tar/tar-limits.ts';
import type { MountSettings } from '../keeper/mount-settings.ts';
import { defaultStoreSettings, type StoreSettings } from '../store/store-settings.ts';
import type { OpenSwarmSettings } from '../swarm/open-swarm.ts';
import { defaultSwarmSettings } from '../swarm/swarm-settings.ts';
import type { LazySettings } from '../transfer/lazy/lazy-settings.ts';
import type { TransferSettings } from '../transfer/transfer-components.ts';

/** `share` with `auto` resolved: what is pushed on the public network is public, so nothing else is shared there. */
export function resolvedShare(settings: Settings, isPrivate: boolean): 'pushed' | 'pulled' | 'none' {
  if (settings.share !== 'auto') return settings.share;
  return isPrivate ? 'pulled' : 'pushed';
}

export function storeSettings(settings: Settings): StoreSettings {
  return {
    ...defaultStoreSettings,
    keepInterruptedMs: settings['store.keepInterrupted'],
    cacheMaxBytes: settings['store.cacheMax'],
    // A smaller reserve is meant for a small disk: the database's own share must not be larger.
    reserveBytes: Math.min(settings['store.reserve'], defaultStoreSettings.reserveBytes),
  };
}

export function swarmSettings(settings: Settings, networkKey: Uint8Array | undefined): OpenSwarmSettings {
  const isPrivate = networkKey !== undefined;
  return {
    ...defaultSwarmSettings,
    ...(isPrivate ? { networkKey } : {}),
    listen: settings['network.listen'],
    announce: settings['network.announce'],
    bootstrap: isPrivate ? privateBootstrap(settings) : settings['network.bootstrap'],
    mdns: settings['network.mdns'],
    lanOnly: settings['network.lanOnly'],
    allow: settings['network.allow'],
    deny: settings['network.deny'],
    maxConnections: settings['network.maxConnections'],
    natTraversal: !isPrivate && !settings['network.lanOnly'],
    trustMembers: settings['names.trustMembers'],
    fullIds: settings['ids.full'],
    resolveWaitMs: settings['names.wait'],
    fetch: {
      windowBytes: settings['fetch.window'],
      waitMs: settings['fetch.wait'],
      treeMaxBytes: settings['fetch.treeMax'],
      compress: 'auto',
    },
    serve: { uploadLimit: settings['serve.uploadLimit'] },
  };
}

/** The public network's well-known peers have no business on a private one. */
function privateBootstrap(settings: Settings): readonly string[] {
  const known = new Set<string>(SETTINGS['network.bootstrap'].default as readonly string[]);
  return settings['network.bootstrap'].filter((address) => !known.has(address));
}

export function transferSettings(
  settings: Settings,
  at: { readonly root: string; readonly isPrivate: boolean; readonly arch: string; readonly os: string },
): TransferSettings {
  return {
    root: at.root,
    keepBlobs: settings.keepBlobs,
    share: resolvedShare(settings, at.isPrivate),
    platform: formatPlatform(machinePlatform(at.arch, at.os)),
    reserveBytes: settings['store.reserve'],
    limits: {
      layerSize: settings['limits.layerSize'],
      ratio: settings['limits.ratio'],
      json: settings['limits.json'],
      layers: settings['limits.layers'],
      manifests: settings['limits.manifests'],
      layer: {
        ...DEFAULT_LAYER_LIMITS,
        entries: settings['limits.entries'],
        linkBytes: settings['limits.linkTarget'],
        entryXattrBytes: settings['limits.entryXattrs'],
        xattrBytes: settings['limits.layerXattrs'],
      },
      tar: {
        ...DEFAULT_TAR_LIMITS,
        entries: settings['limits.entries'],
        // the reader holds link targets to it too; the layer then to limits.linkTarget
        pathBytes: settings['limits.path'],
        recordBytes: settings['limits.pax'],
        sparseFragments: settings['limits.sparseFragments'],
        xattrs: settings['limits.xattrs'],
        xattrValueBytes: settings['limits.xattrSize'],
        fileSize: settings['limits.layerSize'],
      },
    },
  };
}

export function lazySettings(settings: Settings): LazySettings {
  return {
    waitMs: settings['mount.wait'],
    background: settings['fetch.background'],
    backgroundRate: settings['fetch.backgroundRate'],
    backgroundQuietMs: settings['fetch.backgroundQuiet'],
    recordProfiles: settings['profile.record'],
    profileWindowMs: settings['profile.window'],
    profileRuns: settings['profile.runs'],
  };
}

export function mountSettings(settings: Settings): MountSettings {
  return {
    waitMs: settings['mount.wait'],
    wholeAtOpen: settings['mount.wholeAtOpen'],
    readahead: settings['mount.readahead'],
    passthrough: settings['mount.passthrough'],
    logLevel: settings['log.level'],
  };
}
