import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './command.ts';
import type { LayerFile } from './layer-file.ts';

export interface ArchiveFile {
  readonly path: string;
  readonly name: string;
  readonly imageId: string;
  readonly layers: readonly LayerFile[];
}

export interface ArchiveContent {
  readonly name: string;
  readonly layers: readonly LayerFile[];
  /** The image's `config` member. */
  readonly config: object;
  /** Seconds since 1970. */
  readonly epoch: number;
}

/** Writes a docker-archive as `docker save` of Docker 20 to 24 does. Same layers and config, same bytes. */
export async function writeArchiveFile(target: string, content: ArchiveContent): Promise<ArchiveFile> {
  const created = new Date(content.epoch * 1000).toISOString();
  const config = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    created,
    config: content.config,
    rootfs: { type: 'layers', diff_ids: content.layers.map((layer) => layer.diffId) },
    history: content.layers.map(() => ({ created, created_by: 'scripts/make-image' })),
  });
  const imageId = createHash('sha256').update(config).digest('hex');
  const members = content.layers.map((layer) => `${layer.diffId.slice(7)}/layer.tar`);
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(join(dirname(content.layers[0]?.path ?? target), 'archive-'));
  try {
    content.layers.forEach((layer, at) => {
      mkdirSync(dirname(join(folder, members[at] as string)), { recursive: true });
      linkSync(layer.path, join(folder, members[at] as string));
    });
    writeFileSync(join(folder, `${imageId}.json`), config);
    const manifest = [{ Config: `${imageId}.json`, RepoTags: [content.name], Layers: members }];
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    const fixed = ['--format=ustar', '--numeric-owner', '--owner=0', '--group=0', '--mode=u=rw,go=r'];
    const unfinished = `${target}.new`;
    await run('tar', [
      `--create`,
      `--file=${unfinished}`,
      ...fixed,
      `--mtime=@${content.epoch}`,
      `--directory=${folder}`,
      ...members,
      `${imageId}.json`,
      'manifest.json',
    ]);
    renameSync(unfinished, target);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { path: target, name: content.name, imageId: `sha256:${imageId}`, layers: content.layers };
}
