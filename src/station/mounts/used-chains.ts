import type { LinkClient } from '../../mounts/link/link-client.ts';
import type { ChainSpec, MountServerStatus } from '../../mounts/link/link-messages.ts';
import type { Logger } from '../../observe/logger.ts';
import type { LazyImages, MountableImage } from '../../transfer/lazy/lazy-images.ts';

/**
 * The images that the mount server has chains of: what of them it knows is kept as it is here, and here they count as
 * used, so that nothing sweeps them.
 */
export interface UsedChains {
  /** The chain is there, as it is now. */
  add(client: LinkClient, image: MountableImage, signal: AbortSignal): Promise<void>;
  /** No mount of it is left. */
  forget(client: LinkClient, key: string, signal: AbortSignal): Promise<void>;
  /** Takes over what a mount server has, and tells it what changed meanwhile. */
  adopt(client: LinkClient, status: MountServerStatus, signal: AbortSignal): Promise<void>;
  /** The mount server has nothing. */
  clear(): void;
  /** What changed of an image is told, if it has a chain. */
  changed(client: LinkClient, key: string, signal: AbortSignal): Promise<void>;
  has(key: string): boolean;
}

export function createUsedChains(components: {
  readonly lazy: LazyImages;
  readonly logger: Logger;
}): UsedChains {
  const { lazy, logger } = components;
  /** What was said last; `undefined`: an earlier station's word. */
  const said = new Map<string, ChainSpec | undefined>();

  function spec(key: string, image: MountableImage | undefined): ChainSpec | undefined {
    const before = said.get(key);
    const indexes = image?.indexes ?? before?.indexes;
    if (indexes === undefined) return undefined;
    const quarantined = lazy.list().some((view) => view.key === key && view.state === 'quarantined');
    return {
      key,
      indexes,
      complete: image?.complete ?? before?.complete ?? false,
      recording: lazy.recording(key),
      ...(quarantined ? { quarantined } : {}),
    };
  }

  async function tell(client: LinkClient, chain: ChainSpec, signal: AbortSignal): Promise<void> {
    await client.chain(chain, signal);
    said.set(chain.key, chain);
  }

  function unuse(key: string): void {
    said.delete(key);
    lazy.used(key, false);
  }

  return {
    async add(client, image, signal) {
      const wasUsed = said.has(image.key);
      // Before the mount server relies on it: from now on nothing of it is swept.
      lazy.used(image.key, true);
      try {
        await tell(client, spec(image.key, image) as ChainSpec, signal);
      } catch (error) {
        if (!wasUsed) lazy.used(image.key, false);
        throw error;
      }
    },
    async forget(client, key, signal) {
      await client.forget(key, signal);
      unuse(key);
    },
    async adopt(client, { chains }, signal) {
      const there = new Set(chains.map(({ key }) => key));
      for (const key of new Set([...said.keys(), ...lazy.mounted()])) {
        if (there.has(key)) continue;
        logger.info({ key }, 'the image is not mounted any more');
        unuse(key);
      }
      for (const key of there) {
        if (!said.has(key)) said.set(key, undefined);
        // Told again it would count as a start, whose profile is recorded.
        if (!lazy.mounted().includes(key)) lazy.used(key, true);
        const chain = spec(key, lazy.get(key));
        if (chain === undefined) logger.error({ key }, 'an image is mounted that is not known here');
        else await tell(client, chain, signal);
      }
    },
    clear() {
      for (const key of new Set([...said.keys(), ...lazy.mounted()])) unuse(key);
    },
    async changed(client, key, signal) {
      if (!said.has(key)) return;
      const chain = spec(key, lazy.get(key));
      if (chain !== undefined) await tell(client, chain, signal);
    },
    has: (key) => said.has(key),
  };
}
