import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ROOT } from '../doors/control/memory-station.ts';
import { suiteStation } from './fixture/suite-station.ts';

const { station, folder, open, shp } = suiteStation('cli-archives');

describe('archives', () => {
  const content = 'x'.repeat(1024) + 'y'.repeat(1024);

  it.each([['image.tar'], ['docker-archive:image.tar'], ['oci:image.tar']])(
    'pull -o %s writes a whole file',
    async (target) => {
      const { code, out, err } = await shp(['pull', 'c1d9bf8d8844', '-o', target], { cwd: folder() });
      expect([code, out]).toEqual([0, `pulled /ipfs/${ROOT}/c1d9bf8d8844\n`]);
      expect(err).not.toContain('docker');
      expect(readFileSync(join(folder(), 'image.tar'), 'utf8')).toBe(content);
      expect(readdirSync(folder()).sort()).toEqual(['image.tar', 'root']);
    },
  );

  it('pull -o - streams to stdout and prints the line elsewhere', async () => {
    const { out, err } = await shp(['pull', 'c1d9bf8d8844', '-o', '-']);
    expect(out).toBe(content);
    expect(err).toContain(`pulled /ipfs/${ROOT}/c1d9bf8d8844\n`);
  });

  it('never leaves half a file, nor touches an old one', async () => {
    await open({
      exported: () =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(500_000);
            throw new Error('broken');
          })(),
        ),
    });
    writeFileSync(join(folder(), 'image.tar'), 'old');
    const { code, out } = await shp(['pull', 'c1d9bf8d8844', '-o', 'image.tar'], { cwd: folder() });
    expect([code === 0, out]).toEqual([false, '']);
    expect(readFileSync(join(folder(), 'image.tar'), 'utf8')).toBe('old');
    expect(readdirSync(folder()).sort()).toEqual(['image.tar', 'root']);
  });

  it('says where it cannot write', async () => {
    const { code, err } = await shp(['pull', 'c1d9bf8d8844', '-o', join(folder(), 'no/image.tar')]);
    expect([code, err]).toEqual([5, expect.stringContaining('no/image.tar cannot be written')]);
  });

  it('without an engine only the store has it, and a note says so', async () => {
    const { code, err } = await shp(['pull', 'c1d9bf8d8844']);
    expect(code).toBe(0);
    expect(err).toMatch(
      /note: not added to docker, only to the station's store: no Docker engine answers at unix:\/\/\/nonexistent/,
    );
  });

  it('push - takes a tar from stdin', async () => {
    const input = randomBytes(200_000);
    const { out } = await shp(['push', '-'], { input });
    expect(out).toBe(`published as /ipfs/${ROOT}/c1d9bf8d8844\n`);
    expect(station.pushed).toEqual([createHash('sha256').update(input).digest('hex')]);
  });

  it('push without an engine says which it looked for', async () => {
    mkdirSync(join(folder(), 'jbenet/go-ipfs'), { recursive: true });
    const { code, err } = await shp(['push', 'jbenet/go-ipfs'], { cwd: folder() });
    expect([code, err]).toEqual([
      4,
      'error: no Docker engine answers at unix:///nonexistent/docker.sock (ENOENT): start it, or set DOCKER_HOST\n',
    ]);
  });
});

describe('pipes', () => {
  it('a reader that leaves early is no error', async () => {
    const { code, err } = await shp(['debug', 'layer', ROOT], { during: (child) => child.stdout?.destroy() });
    expect([code, err.includes('EPIPE')]).toEqual([0, false]);
  });
});
