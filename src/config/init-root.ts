import { mkdir, readFile } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';
import { writeDurably } from './durable-file.ts';
import { makeIdentity, readIdentity, writeIdentity } from './identity-file.ts';
import { formatNetworkKey, type NetworkKey, parseKeyFile } from './network-key.ts';
import { checkRoot, rootNotWritable } from './root-checks.ts';
import { rootLayout } from './root-layout.ts';
import type { SettingOverride } from './setting-value.ts';
import { renderSettingsFile } from './settings-file.ts';

export interface InitOptions {
  /** Makes a private network of this key; absent: the public one, or that of a `swarm.key` that lies there already. */
  readonly networkKey?: NetworkKey;
  /** Written into the settings file. */
  readonly overrides?: readonly SettingOverride[];
}

export interface InitResult {
  readonly root: string;
  /** False: a station was here already, and nothing was changed. */
  readonly created: boolean;
  readonly peerId: string;
  readonly network: 'public' | 'private';
  readonly fingerprint?: string;
}

/**
 * Makes the root of a station: directory (0700), settings file, network key, identity, in this order; the identity
 * comes last and says that the rest is whole, so an init that was cut short is simply run again.
 * @throws Fault what {@link checkRoot} throws; `exists/other-network` and `exists/already-initialized` when the station
 *   that is here has another network key or settings were given for it
 */
export async function initRoot(root: string, options: InitOptions = {}): Promise<InitResult> {
  const layout = rootLayout(root);
  await checkRoot(root);
  const there = await readIdentity(root).catch((fault: Fault) => {
    if (fault.code === 'not-initialized') return undefined;
    throw fault;
  });
  const key = await agreeOnKey(root, options.networkKey, there !== undefined);
  if (there !== undefined && (options.overrides?.length ?? 0) > 0) {
    throw new Fault(
      'exists',
      'already-initialized',
      `there is a station at ${layout.root} already: change its settings in ${layout.settings}`,
      { fields: { root: layout.root } },
    );
  }
  const identity = there ?? makeIdentity();
  if (there === undefined) {
    try {
      await mkdir(layout.root, { recursive: true, mode: 0o700 });
      if (!(await exists(layout.settings)) || (options.overrides?.length ?? 0) > 0) {
        await writeDurably(layout.settings, renderSettingsFile(options.overrides));
      }
      if (key !== undefined) await writeDurably(layout.networkKey, formatNetworkKey(key.psk));
      await writeIdentity(root, identity);
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code;
      throw errno === 'EACCES' || errno === 'EROFS' || errno === 'EPERM'
        ? rootNotWritable(layout.root, error)
        : error;
    }
  }
  return {
    root: layout.root,
    created: there === undefined,
    peerId: identity.peerId,
    network: key === undefined ? 'public' : 'private',
    ...(key === undefined ? {} : { fingerprint: key.fingerprint }),
  };
}

/** The key in `<root>/swarm.key`; `undefined` on the public network. @throws Fault `invalid/bad-key-file` */
export async function readNetworkKey(root: string): Promise<NetworkKey | undefined> {
  const { networkKey: file } = rootLayout(root);
  try {
    return parseKeyFile(await readFile(file), file);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw new Fault('denied', 'key-file-unreadable', `${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
      fields: { file },
    });
  }
}

async function agreeOnKey(
  root: string,
  given: NetworkKey | undefined,
  initialized: boolean,
): Promise<NetworkKey | undefined> {
  const there = await readNetworkKey(root);
  if (given === undefined) return there;
  if (there?.fingerprint === given.fingerprint || (there === undefined && !initialized)) return given;
  const at = rootLayout(root).root;
  const now = there === undefined ? 'the public network' : `the private network ${there.fingerprint}`;
  throw new Fault(
    'exists',
    'other-network',
    `the station at ${at} is on ${now}, not on ${given.fingerprint}: use another --root, or put the key into ${rootLayout(root).networkKey} yourself`,
    { fields: { root: at, fingerprint: there?.fingerprint, given: given.fingerprint } },
  );
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}
