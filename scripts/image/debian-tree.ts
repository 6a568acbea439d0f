import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AptSource, findAptSource } from './apt-source.ts';
import { run } from './command.ts';

/** What differs between two installations of the same packages, or is of no use in an image. */
const UNSTABLE_FILES = [
  'etc/resolv.conf',
  'etc/hostname',
  'etc/hosts',
  'var/cache/apt/pkgcache.bin',
  'var/cache/apt/srcpkgcache.bin',
  'var/cache/ldconfig/aux-cache',
  'var/cache/debconf/config.dat-old',
  'var/cache/debconf/templates.dat-old',
  'var/lib/dpkg/status-old',
  'var/lib/dpkg/available-old',
  'var/lib/dpkg/diversions-old',
  'var/lib/dpkg/statoverride-old',
  'var/lib/dpkg/lock',
  'var/lib/dpkg/lock-frontend',
];
/** The same of folders: their files go, the folders stay with their owners and modes. */
const UNSTABLE_FOLDERS = ['var/cache/apt/archives', 'var/lib/apt/lists', 'var/log', 'tmp', 'var/tmp'];

/** apt knows the way to its mirror, perhaps through a proxy; debootstrap takes one from the environment only. */
async function proxyEnvironment(): Promise<Record<string, string>> {
  const shell = await run('apt-config', ['shell', 'proxy', 'Acquire::http::Proxy']);
  const proxy = /proxy='([^']+)'/.exec(shell)?.[1];
  return proxy === undefined || process.env['http_proxy'] !== undefined ? {} : { http_proxy: proxy };
}

function removePycache(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    if (entry.name === '__pycache__') rmSync(join(folder, entry.name), { recursive: true });
    else removePycache(join(folder, entry.name));
  }
}

function removeFiles(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeFiles(join(folder, entry.name));
    else rmSync(join(folder, entry.name));
  }
}

function normalise(root: string): void {
  for (const path of UNSTABLE_FILES) rmSync(join(root, path), { force: true });
  for (const path of UNSTABLE_FOLDERS) removeFiles(join(root, path));
  writeFileSync(join(root, 'etc/machine-id'), '');
  // Byte code carries the times of its making, and python makes it anew where it may.
  for (const path of ['usr/lib', 'usr/share']) removePycache(join(root, path));
}

/**
 * A minimal Debian of the machine's own release in `<work>/base-<suite>`, made once.
 * Nothing is mounted that outlives the call: debootstrap runs in mount and pid namespaces of its own.
 */
export async function makeBaseTree(work: string, source: AptSource): Promise<string> {
  const tree = join(work, `base-${source.suite}`);
  if (existsSync(tree)) return tree;
  const unfinished = `${tree}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const keyring = source.keyring === undefined ? [] : [`--keyring=${source.keyring}`];
  const argv = ['--variant=minbase', ...keyring, source.suite, unfinished, source.mirror];
  await run('unshare', ['--mount', '--pid', '--fork', 'debootstrap', ...argv], {
    env: await proxyEnvironment(),
  });
  normalise(unfinished);
  renameSync(unfinished, tree);
  return tree;
}

/** A copy of `base` with `packages` installed, in `<work>/<base>+<packages>`, made once. */
export async function makePackagesTree(
  work: string,
  base: string,
  packages: readonly string[],
): Promise<string> {
  const tree = `${base}+${packages.join('+')}`;
  if (existsSync(tree)) return tree;
  const unfinished = `${join(work, 'packages')}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  await run('cp', ['-a', '--reflink=auto', base, unfinished]);
  for (const path of ['etc/resolv.conf', 'etc/hosts']) {
    if (existsSync(`/${path}`)) cpSync(`/${path}`, join(unfinished, path), { dereference: true });
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', ...(await proxyEnvironment()) };
  const apt = `apt-get -q update && apt-get -q -y --no-install-recommends install "$@"`;
  await run(
    'unshare',
    ['--mount', '--pid', '--fork', `--root=${unfinished}`, 'sh', '-c', apt, 'apt', ...packages],
    { env },
  );
  normalise(unfinished);
  renameSync(unfinished, tree);
  return tree;
}

/** The tree that an image of these packages is made of, without its filler. */
export async function debianTree(work: string, packages: readonly string[]): Promise<string> {
  return makePackagesTree(work, await makeBaseTree(work, findAptSource()), packages);
}
