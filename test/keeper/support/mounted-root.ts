import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type FaultRecord, fromFaultRecord } from '../../../src/base/fault.ts';
import { createJsonLineConnection } from '../../../src/base/json-line-connection.ts';
import { decodeLayerIndex } from '../../../src/image/layer/index-codec.ts';
import { DEFAULT_INDEX_LIMITS } from '../../../src/image/layer/index-limits.ts';
import type { KeeperStatus } from '../../../src/keeper/keeper-messages.ts';
import { parseMountInfo } from '../../../src/mounts/mountinfo.ts';
import type {
  MountServiceStatus,
  StationMount,
  Unmounted,
} from '../../../src/station/mounts/mount-service.ts';
import { storeLayout } from '../../../src/store/store-layout.ts';
import type { MountableImage } from '../../../src/transfer/lazy/lazy-images.ts';
import { buildImage, dockerArchive } from '../../support/image-archive.ts';
import type { LayerEntry } from '../../support/layer-tar.ts';
import { layerParts } from '../../transfer/support/forged-image.ts';
import { transferStation } from '../../transfer/support/two-stations.ts';
import { type Away, awayFolder, awaySettings } from './away-images.ts';

const STATION = fileURLToPath(new URL('./station.ts', import.meta.url));

/** A root with images in its store, a station's mounts on it, and the processes behind them. */
export interface MountedRoot extends AsyncDisposable {
  readonly root: string;
  readonly images: readonly MountableImage[];
  /** An empty folder to mount on. */
  folder(name: string): string;
  start(...args: string[]): Promise<void>;
  call<T>(call: string, ...args: unknown[]): Promise<T>;
  mount(target: string, options?: object, image?: number): Promise<StationMount>;
  unmount(target: string, options?: object): Promise<Unmounted>;
  status(): Promise<MountServiceStatus>;
  /** Pids by role, living ones. */
  pids(role: Role): readonly number[];
  signal(role: Role, signal: NodeJS.Signals): Promise<number>;
  /** Waits until one runs that is another than `before`, and serves. */
  next(role: Role, before: number): Promise<number>;
  /** Takes objects of the store away, all of them or those of at least so many bytes; how they come back. */
  away(from: number, how?: Partial<Away>): void;
  /** What is mounted at or below the folders of this root. */
  mountpoints(): readonly string[];
  log(name: 'station' | 'keeper' | 'mounts'): string;
}

export type Role = 'station' | 'keeper' | 'mount-server';

const ENTRY: Readonly<Record<Role, string>> = {
  station: 'test/keeper/support/station.ts',
  keeper: 'src/bin/keeper.ts',
  'mount-server': 'src/bin/mount-server.ts',
};

/** @param images layers of each, bottom first */
export async function mountedRoot(
  ...images: readonly (readonly (readonly LayerEntry[])[])[]
): Promise<MountedRoot> {
  const root = mkdtempSync(join(tmpdir(), 'shp-keeper-'));
  const mountable: MountableImage[] = [];
  {
    await using station = await transferStation();
    for (const layers of images) {
      const archive = dockerArchive([buildImage({ architecture: 'amd64', layers })]);
      const { record, address } = await station.push(archive);
      const manifest = record.manifests[0];
      if (manifest === undefined) throw new Error('nothing was pushed');
      mountable.push({
        key: manifest.root,
        imageRoot: record.root,
        address,
        names: [],
        imageId: manifest.imageId,
        platform: manifest.platform,
        indexes: manifest.layers.map(({ root: layer = '' }) =>
          layerParts(station.store, layer).index.cid.toString(),
        ),
        complete: false,
      });
    }
    cpSync(join(station.root, 'cas'), join(root, 'cas'), { recursive: true });
  }
  writeFileSync(join(root, 'images.json'), JSON.stringify(mountable));
  const setAway = (how: Partial<Away>): void =>
    writeFileSync(awaySettings(root), JSON.stringify({ delay: 0, hold: false, ...how }));
  setAway({});
  const layout = storeLayout(root);
  const socket = join(root, 'test.sock');
  let child: ChildProcess | undefined;
  let asked = 0;

  async function call<T>(name: string, ...args: unknown[]): Promise<T> {
    const connected = createConnection(socket);
    await once(connected, 'connect');
    const answer = Promise.withResolvers<T>();
    const connection = createJsonLineConnection(connected, (message) => {
      const { done, fault } = message as { done?: T; fault?: FaultRecord };
      if (fault !== undefined) answer.reject(fromFaultRecord(fault));
      else answer.resolve(done as T);
    });
    void connection.ended.then(() =>
      answer.reject(new Error(`the station ended before it answered ${name}`)),
    );
    connection.send({ id: ++asked, call: name, args });
    try {
      return await answer.promise;
    } finally {
      connection.close();
    }
  }

  const pids = (role: Role): readonly number[] => processesNaming(ENTRY[role], root);

  const held: MountedRoot = {
    root,
    images: mountable,
    folder(name) {
      const path = join(root, 'mnt', name);
      mkdirSync(path, { recursive: true });
      return path;
    },
    async start(...args) {
      rmSync(socket, { force: true });
      child = spawn(process.execPath, [STATION, '--root', root, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr?.on('data', (text) => {
        said += text;
      });
      for (;;) {
        if (child.exitCode !== null) throw new Error(`the station ended: ${said}${held.log('station')}`);
        try {
          await call('pid');
          return;
        } catch {
          await sleep(25);
        }
      }
    },
    call,
    mount: (target, options = {}, image = 0) => call('mount', mountable[image]?.key, target, options),
    unmount: (target, options = {}) => call('unmount', target, options),
    status: () => call('status'),
    pids,
    async signal(role, name) {
      const [pid] = pids(role);
      if (pid === undefined) throw new Error(`no ${role} runs`);
      process.kill(pid, name);
      if (name === 'SIGKILL') while (pids(role).includes(pid)) await sleep(5);
      return pid;
    },
    async next(role, before) {
      for (;;) {
        const [pid] = pids(role).filter((one) => one !== before);
        if (pid !== undefined && (role === 'station' ? await answers(call) : true)) {
          const status = await held.status().catch(() => undefined);
          const seen: Partial<KeeperStatus> = status?.keeper ?? {};
          if (role === 'station' && seen.station === pid) return pid;
          if (role === 'keeper' && seen.pid === pid && seen.mountServer !== undefined) return pid;
          if (role === 'mount-server' && status?.server?.pid === pid && seen.mountServer === pid) return pid;
        }
        await sleep(20);
      }
    },
    away(from, how = {}) {
      mkdirSync(awayFolder(root), { recursive: true });
      for (const { indexes } of mountable) {
        for (const cid of indexes) {
          const index = decodeLayerIndex(readFileSync(layout.object(cid)), DEFAULT_INDEX_LIMITS);
          for (let object = 0; object < index.objectCount; object++) {
            const name = index.objectCid(object).toString();
            if (index.objectSize(object) < from || !existsSync(layout.object(name))) continue;
            renameSync(layout.object(name), join(awayFolder(root), name));
          }
        }
      }
      setAway(how);
    },
    mountpoints: () =>
      parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
        .map(({ target }) => target)
        .filter((target) => target.startsWith(`${root}/`)),
    log(name) {
      const path = join(root, `${name}.log`);
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    },
    async [Symbol.asyncDispose]() {
      // One that is killed may have just started the next one.
      const roles = ['keeper', 'station', 'mount-server'] as const;
      for (let quiet = 0; quiet < 10; quiet++) {
        const running = roles.flatMap((role) => pids(role));
        for (const pid of running) process.kill(pid, 'SIGKILL');
        if (running.length > 0) quiet = 0;
        await sleep(10);
      }
      for (const target of held.mountpoints().toReversed()) execFileSync('umount', ['-l', target]);
      rmSync(root, { recursive: true, force: true });
    },
  };
  return held;
}

async function answers(call: (name: string) => Promise<unknown>): Promise<boolean> {
  try {
    await call('pid');
    return true;
  } catch {
    return false;
  }
}

/** Living processes whose arguments hold both. */
function processesNaming(entry: string, root: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        return args.some((arg) => arg.endsWith(entry)) && args.includes(root);
      } catch {
        return false;
      }
    })
    .map(Number);
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
