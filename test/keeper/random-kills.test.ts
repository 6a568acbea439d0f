import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectKeeper } from '../../src/keeper/keeper-client.ts';
import type { KeeperStatus } from '../../src/keeper/keeper-messages.ts';
import { runLayout } from '../../src/keeper/run-layout.ts';
import { directory, file } from '../support/layer-tar.ts';
import { type MountedRoot, mountedRoot, type Role, sha256 } from './support/mounted-root.ts';
import { numberedContent } from './support/numbered-content.ts';

// SHP_KILLS=200 npx jest test/keeper/random-kills says how long each process took to be back, too.
const KILLS = Number(process.env['SHP_KILLS'] ?? 10);
const WALKERS = 3;
/** First reads between two kills. */
const FILES = 24 * KILLS;
const WALKER = fileURLToPath(new URL('./support/walker.ts', import.meta.url));

let held: MountedRoot;
beforeAll(async () => {
  const files = Array.from({ length: FILES }, (_, number) =>
    file(`files/${number}`, numberedContent(number)),
  );
  held = await mountedRoot([[directory('files'), ...files]]);
}, 600_000);
afterAll(() => held[Symbol.asyncDispose](), 60_000);

/** What the keeper says; undefined while none answers. */
async function keeperStatus(): Promise<KeeperStatus | undefined> {
  try {
    const keeper = await connectKeeper(runLayout(held.root).keeperSocket);
    try {
      return (await keeper.ask({ ask: 'ensure' }, AbortSignal.timeout(20_000))) as KeeperStatus;
    } finally {
      keeper.close();
    }
  } catch {
    return undefined;
  }
}

/** A keeper holds the device, and a mount server serves that is none of these. */
async function bothServe(...dead: number[]): Promise<void> {
  for (;;) {
    const { pid, mountServer } = (await keeperStatus()) ?? {};
    if (pid !== undefined && mountServer !== undefined && !dead.includes(pid) && !dead.includes(mountServer))
      return;
    await sleep(5);
  }
}

async function stationServes(dead: number): Promise<void> {
  while (
    held.pids('station').every((pid) => pid === dead) ||
    (await held.status().catch(() => undefined)) === undefined
  )
    await sleep(5);
}

it(
  `${KILLS} kills at random moments are not noticed by readers`,
  async () => {
    held.away(0, { delay: 100 });
    await held.start();
    const target = held.folder('a');
    await held.mount(target);
    const stop = join(held.root, 'stop-walking');
    const walkers = Array.from({ length: WALKERS }, (_, first) => {
      const child = spawn(
        process.execPath,
        [WALKER, target, String(WALKERS), String(first), String(FILES), stop],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let said = '';
      child.stderr.on('data', (text) => {
        said += text;
      });
      return once(child, 'close').then(([code]) => [code, said]);
    });
    const took: Record<Role, number[]> = { station: [], keeper: [], 'mount-server': [] };
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(randomInt(400));
      const role = (['station', 'keeper', 'mount-server', 'mount-server'] as const)[randomInt(4)] as Role;
      // Keeper and mount server have to watch each other: both at once is a start from nothing, tested elsewhere.
      if (role !== 'station') await bothServe();
      else if (held.pids('station').length === 0) continue;
      const before = await held.signal(role, 'SIGKILL');
      const from = performance.now();
      if (role === 'station') await stationServes(before);
      else await bothServe(before);
      took[role].push(performance.now() - from);
    }
    writeFileSync(stop, '');
    held.away(Number.POSITIVE_INFINITY);
    expect(await Promise.all(walkers)).toEqual(walkers.map(() => [0, '']));
    for (let number = 0; number < FILES; number++) {
      const read = await readFile(join(target, 'files', String(number)));
      if (sha256(read) !== sha256(numberedContent(number)))
        throw new Error(`file ${number} has other content`);
    }
    expect((await held.status()).server?.chains[0]).toMatchObject({ waiting: 0, failed: 0 });
    expect(await held.unmount(target)).toEqual({ target });
    if (process.env['SHP_KILLS'] !== undefined) process.stdout.write(`${JSON.stringify(summary(took))}\n`);
  },
  60_000 + KILLS * 6_000,
);

/** Kills of each process and the time until it was back, in ms. */
function summary(took: Readonly<Record<Role, readonly number[]>>): object {
  return Object.fromEntries(
    Object.entries(took).map(([role, times]) => {
      const sorted = [...times].sort((a, b) => a - b);
      const at = (part: number): number => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
      return [role, { kills: times.length, median: at(0.5), p90: at(0.9), most: at(1) }];
    }),
  );
}
