import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where this machine gets Debian's packages from. */
export interface AptSource {
  readonly mirror: string;
  readonly suite: string;
  /** A file, where the source names one. */
  readonly keyring?: string;
}

interface SourceEntry {
  readonly mirror: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly keyring?: string;
}

/** `deb [signed-by=/path arch=amd64] http://mirror suite component…` (sources.list(5), one-line style). */
export function parseOneLineSources(text: string): SourceEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (match === null) return [];
    const [, options = '', mirror = '', suite = '', components = ''] = match;
    const keyring = /signed-by=(\S+)/.exec(options)?.[1];
    return [
      {
        mirror,
        suites: [suite],
        components: components.trim().split(/\s+/),
        ...(keyring === undefined ? {} : { keyring }),
      },
    ];
  });
}

/** Stanzas of `Key: value` with folded lines (sources.list(5), deb822 style). A key given inline is left to apt. */
export function parseDeb822Sources(text: string): SourceEntry[] {
  const plain = text.replace(/^#.*\n?/gm, '');
  return plain.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    for (const match of stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
      fields.set((match[1] as string).toLowerCase(), (match[2] as string).trim());
    }
    const words = (key: string) => (fields.get(key) ?? '').split(/\s+/).filter((word) => word !== '');
    if (!words('types').includes('deb') || fields.get('enabled')?.toLowerCase() === 'no') return [];
    const keyring = words('signed-by')[0];
    return words('uris').map((mirror) => ({
      mirror,
      suites: words('suites'),
      components: words('components'),
      ...(keyring?.startsWith('/') ? { keyring } : {}),
    }));
  });
}

/**
 * The source of this machine's own release.
 * @param etc `/etc`, or a folder like it
 * @throws Error when the machine has none
 */
export function findAptSource(etc = '/etc'): AptSource {
  const release = readFileSync(join(etc, 'os-release'), 'utf8');
  const suite = /^VERSION_CODENAME=(\S+)/m.exec(release)?.[1]?.replaceAll('"', '');
  if (suite === undefined) throw new Error(`${etc}/os-release names no VERSION_CODENAME: is this Debian?`);
  const folder = join(etc, 'apt/sources.list.d');
  const files = [
    join(etc, 'apt/sources.list'),
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ].filter((path) => /\.(list|sources)$/.test(path) && existsSync(path));
  const entries = files.flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    return path.endsWith('.sources') ? parseDeb822Sources(text) : parseOneLineSources(text);
  });
  const found = entries.find((entry) => entry.suites.includes(suite) && entry.components.includes('main'));
  if (found === undefined) throw new Error(`no apt source of this machine has the suite ${suite} with main`);
  return {
    mirror: found.mirror,
    suite,
    ...(found.keyring === undefined ? {} : { keyring: found.keyring }),
  };
}
