import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MiB = 1024 * 1024;
/** The product's promise is 150 MiB; the process also makes and hashes what it pushes, some 40 MiB of garbage. */
const GROWTH = 200 * MiB;

describe('memory', () => {
  it('hardly grows while a layer of 1 GB is pushed and exported', async () => {
    const count = 1024;
    const size = MiB;
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, 'support/memory-child.ts'),
      `${count}`,
      `${size}`,
    ]);
    const { start, most, bytes, exported } = JSON.parse(stdout.trim().split('\n').at(-1) as string);
    expect(bytes).toBe(count * size);
    expect(exported).toBeGreaterThan(count * size);
    expect(most - start).toBeLessThan(GROWTH);
  });
});
