import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh folder under the system's temp folder that goes away with `using`. */
export function tempFolder(label: string): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), `shp-${label}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
