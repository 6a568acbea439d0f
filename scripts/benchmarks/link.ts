import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../image/command.ts';
import { makeNamespace, type NetworkNamespace } from './namespace.ts';

export interface LinkSettings {
  /** bit/s */
  readonly rate: number;
  /** One way, milliseconds. */
  readonly delay: number;
  /** Bytes that wait before packets are dropped. */
  readonly queue: number;
}

/** Two network namespaces and nothing but a wire between them. */
export interface Link extends AsyncDisposable {
  readonly a: NetworkNamespace;
  readonly b: NetworkNamespace;
  /** Their addresses: RFC 2544's range for benchmarks. */
  readonly addressA: string;
  readonly addressB: string;
  /** Bytes of IP packets so far, both directions. */
  bytes(): number;
}

const CONTROL_SIZE = 4096;
const [ADDRESS_A, ADDRESS_B] = ['198.18.0.1', '198.18.0.2'];
const SOURCE = new URL('./link.c', import.meta.url).pathname;

/** Compiles the link program and sets up both ends. @param folder for the program and its control page */
export async function makeLink(folder: string, settings: LinkSettings): Promise<Link> {
  const program = join(folder, 'link');
  await run('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread', '-o', program, SOURCE]);
  const control = openSync(join(folder, 'link.control'), 'w+');
  const page = Buffer.alloc(CONTROL_SIZE);
  page.writeBigUInt64LE(BigInt(settings.rate), 0);
  page.writeBigUInt64LE(BigInt(Math.round(settings.delay * 1e6)), 8);
  page.writeBigUInt64LE(BigInt(settings.queue), 16);
  writeSync(control, page, 0, CONTROL_SIZE, 0);

  await using made = new AsyncDisposableStack();
  const tag = process.pid;
  const a = made.use(await makeNamespace(`shp-a-${tag}`));
  const b = made.use(await makeNamespace(`shp-b-${tag}`));
  const [deviceA, deviceB] = [`shpa${tag}`, `shpb${tag}`];
  const child = spawn(program, [join(folder, 'link.control'), deviceA, deviceB], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  made.defer(async () => {
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  });
  const first = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => ['ended'])]);
  if (String(first[0]).trim() !== 'up') throw new Error('the link program did not come up');
  for (const [namespace, device, address] of [
    [a, deviceA, ADDRESS_A],
    [b, deviceB, ADDRESS_B],
  ] as const) {
    await run('ip', ['link', 'set', device, 'netns', namespace.name]);
    await namespace.exec('ip', 'address', 'add', `${address}/30`, 'dev', device);
    await namespace.exec('ip', 'link', 'set', device, 'up');
  }
  const keep = made.move();
  return {
    a,
    b,
    addressA: ADDRESS_A as string,
    addressB: ADDRESS_B as string,
    bytes: () => {
      readSync(control, page, 0, CONTROL_SIZE, 0);
      return Number(page.readBigUInt64LE(24)) + Number(page.readBigUInt64LE(48));
    },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}
