import type { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import { readNode } from '../../image/dag/dag-node.ts';
import type { NamedLink } from '../../image/dag/directory-dag.ts';
import { directoryLinks, lookupLink } from '../../image/dag/directory-walk.ts';
import { RAW_CODEC } from '../../image/dag/file-dag.ts';
import { MAX_JSON } from '../../image/dag/image-roots.ts';
import { parseImageConfig } from '../../image/oci/image-config.ts';
import { parseImageIndex } from '../../image/oci/image-index.ts';
import { bestPlatform, type Platform, parsePlatform } from '../../image/oci/platform.ts';

export interface TreeSelection {
  readonly root: CID;
  /** Names below the root that lead to the image root. */
  readonly path: readonly string[];
  /** `os/arch[/variant]` or `all`. */
  readonly platform: string;
  /** Texts of the layer roots below which nothing is wanted. */
  readonly have: ReadonlySet<string>;
}

export interface TreeWalkOptions {
  /** Verified bytes; rejects with `not-found/no-block` where there are none. */
  get(cid: CID): Promise<Uint8Array>;
  /** Takes each block once, parents before children; the walk waits for it. */
  emit(cid: CID, bytes: Uint8Array): void | Promise<void>;
  /** Children of one node that are asked for at once. */
  readonly width: number;
}

type Links = ReadonlyMap<string, NamedLink>;

/**
 * Walks an image from a published, image or manifest root down: directories on the path, `index.json`, the chosen
 * manifest roots with `manifest.json`, `config.json` and layer roots, all of each layer's index, and the inner nodes
 * of its recipe and of a layer that is a plain blob, never their leaves. `tree/` is not entered: it is remade from
 * the index.
 * @throws Fault `not-found/no-block`, `not-found/no-such-path`, `not-found/no-such-platform`, `corrupt/bad-node`
 */
export async function walkTree(selection: TreeSelection, options: TreeWalkOptions): Promise<void> {
  await new TreeWalk(selection, options).run();
}

class TreeWalk {
  readonly #selection: TreeSelection;
  readonly #options: TreeWalkOptions;
  readonly #emitted = new Set<string>();
  /** Directories on the way: few and small. */
  readonly #directories = new Map<string, Uint8Array>();

  constructor(selection: TreeSelection, options: TreeWalkOptions) {
    this.#selection = selection;
    this.#options = options;
  }

  async run(): Promise<void> {
    let root = this.#selection.root;
    for (const name of this.#selection.path) root = await this.#step(root, name);
    let links = await this.#links(root);
    const only = links.size > 0 && !links.has('manifests') && !links.has('manifest.json');
    if (only) {
      root = await this.#onlyImage(root);
      links = await this.#links(root);
    }
    if (links.has('manifest.json')) await this.#manifest(root, links);
    else if (links.has('manifests')) await this.#image(root, links);
    else throw noPath(root, 'it is no image');
  }

  async #image(root: CID, links: Links): Promise<void> {
    const index = links.get('index.json');
    const indexBytes = index === undefined ? undefined : await this.#json(index.cid);
    const manifests = await this.#links(links.get('manifests')!.cid);
    for (const cid of await this.#chosen(root, manifests, indexBytes)) {
      await this.#manifest(cid, await this.#links(cid));
    }
  }

  async #chosen(root: CID, manifests: Links, indexBytes: Uint8Array | undefined): Promise<CID[]> {
    const { platform } = this.#selection;
    const all = [...manifests.values()].map((link) => link.cid);
    if (platform === 'all' || (all.length === 1 && indexBytes === undefined)) return all;
    const candidates: { cid: CID; platform?: Platform }[] = [];
    if (indexBytes !== undefined) {
      for (const entry of parseImageIndex(indexBytes).manifests) {
        const link = manifests.get(entry.digest);
        if (link !== undefined && entry.platform !== undefined) {
          candidates.push({ cid: link.cid, platform: entry.platform });
        }
      }
    }
    // An index need not name platforms: then the configs tell.
    if (candidates.length === 0) {
      for (const cid of all) {
        const config = (await this.#links(cid)).get('config.json');
        const parsed = config === undefined ? undefined : parseImageConfig(await this.#json(config.cid));
        if (parsed?.platform !== undefined) candidates.push({ cid, platform: parsed.platform });
      }
    }
    const best = bestPlatform(parsePlatform(platform), candidates);
    if (best !== undefined) return [best.cid];
    if (all.length === 1 && candidates.length === 0) return all;
    throw new Fault('not-found', 'no-such-platform', `image ${root} has nothing for ${platform}`, {
      fields: { block: root.toString(), platform },
    });
  }

  async #manifest(root: CID, links: Links): Promise<void> {
    for (const name of ['manifest.json', 'config.json']) {
      const json = links.get(name);
      if (json !== undefined) await this.#json(json.cid);
    }
    const layers = links.get('layers');
    if (layers === undefined) throw noPath(root, 'it has no layers');
    for (const layer of (await this.#links(layers.cid)).values()) await this.#layer(layer.cid);
  }

  async #layer(cid: CID): Promise<void> {
    if (cid.code === RAW_CODEC) {
      await this.#take(cid);
      return;
    }
    const bytes = await this.#take(cid);
    const node = readNode(cid, bytes);
    if (node.kind === 'file') {
      await this.#file(cid, false);
      return;
    }
    if (this.#selection.have.has(cid.toString())) return;
    this.#directories.set(cid.toString(), bytes);
    const links = await this.#links(cid);
    const index = links.get('index');
    const recipe = links.get('tar');
    if (index !== undefined) await this.#file(index.cid, true);
    if (recipe !== undefined) await this.#file(recipe.cid, false);
  }

  /** A file's blocks; its leaves only where they are wanted. */
  async #file(cid: CID, leaves: boolean): Promise<void> {
    if (cid.code === RAW_CODEC) {
      if (leaves) await this.#take(cid);
      return;
    }
    const node = readNode(cid, await this.#take(cid));
    const children = node.links.map((link) => link.cid);
    for (let at = 0; at < children.length; at += this.#options.width) {
      await Promise.all(
        children.slice(at, at + this.#options.width).map((child) => this.#file(child, leaves)),
      );
    }
  }

  /** A JSON document's bytes, one raw block or a file of a few. */
  async #json(cid: CID): Promise<Uint8Array> {
    const bytes = await this.#take(cid);
    const node = readNode(cid, bytes);
    if (node.kind === 'raw') return bytes;
    if (node.kind !== 'file' || node.size > MAX_JSON) throw noPath(cid, 'it is no JSON document');
    const parts: Uint8Array[] = [node.data ?? new Uint8Array(0)];
    for (const link of node.links) parts.push(await this.#json(link.cid));
    return Buffer.concat(parts);
  }

  async #step(root: CID, name: string): Promise<CID> {
    for (;;) {
      const found = lookupLink(root, name, (cid) => this.#directories.get(cid.toString()));
      if (found.kind === 'found') return found.link.cid;
      if (found.kind === 'absent') throw noPath(root, `it has no ${JSON.stringify(name)}`);
      this.#directories.set(found.cid.toString(), await this.#take(found.cid));
    }
  }

  /** A published root without a path stands for its image where all its names lead to one. */
  async #onlyImage(root: CID): Promise<CID> {
    const found = new Map<string, CID>();
    const waiting = [root];
    for (let at = 0; at < waiting.length && at < 64; at++) {
      for (const { cid } of (await this.#links(waiting[at]!)).values()) {
        if (cid.code === RAW_CODEC) continue;
        const links = await this.#links(cid);
        if (links.has('manifests') || links.has('manifest.json')) found.set(cid.toString(), cid);
        else waiting.push(cid);
      }
    }
    const [image] = found.values();
    if (image === undefined || found.size > 1) throw noPath(root, 'a name below it must be given');
    return image;
  }

  async #links(root: CID): Promise<Links> {
    const walk = directoryLinks(root, { maxLinks: 65_536 });
    let step = walk.next();
    while (!step.done) {
      const key = step.value.toString();
      const bytes = this.#directories.get(key) ?? (await this.#take(step.value));
      this.#directories.set(key, bytes);
      step = walk.next(bytes);
    }
    return new Map(step.value.map((link) => [link.name, link]));
  }

  async #take(cid: CID): Promise<Uint8Array> {
    const key = cid.toString();
    const bytes = this.#directories.get(key) ?? (await this.#options.get(cid));
    if (!this.#emitted.has(key)) {
      this.#emitted.add(key);
      await this.#options.emit(cid, bytes);
    }
    return bytes;
  }
}

function noPath(root: CID, reason: string): Fault {
  return new Fault('not-found', 'no-such-path', `nothing to take at ${root}: ${reason}`, {
    fields: { block: root.toString() },
  });
}
