import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The regular files of an archive by path, as GNU tar unpacks them. */
export function archiveFiles(archive: Uint8Array): Map<string, Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'shp-archive-'));
  try {
    const path = join(folder, 'archive.tar');
    const out = join(folder, 'out');
    writeFileSync(path, archive);
    execFileSync('sh', ['-c', `mkdir "${out}" && tar -C "${out}" -xf "${path}"`]);
    const names = readdirSync(out, { recursive: true, withFileTypes: true });
    return new Map(
      names
        .filter((entry) => entry.isFile())
        .map((entry) => {
          const file = join(entry.parentPath, entry.name);
          return [file.slice(out.length + 1), readFileSync(file)] as const;
        }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
