import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../src/base/fault.ts';
import { openLogger } from '../../src/observe/open-logger.ts';
import { parseReadyLine, tellReady, tellStartFault } from '../../src/observe/ready-line.ts';
import { openRotatingFile } from '../../src/observe/rotating-file.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('a rotating file', () => {
  it('never has more than its size, nor more than one file before it', () => {
    using folder = tempFolder('log');
    const path = join(folder.path, 'station.log');
    const file = openRotatingFile(path, 1000);
    for (let i = 0; i < 100; i++) file.write(`${String(i).padStart(98, '.')}\n`);
    file.close();
    expect(statSync(path).size).toBeLessThanOrEqual(1000);
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(1000);
    const kept = readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8');
    expect(kept.trimEnd().split('\n').at(-1)).toMatch(/99$/);
  });

  it('goes on behind what is there', () => {
    using folder = tempFolder('log');
    const path = join(folder.path, 'station.log');
    writeFileSync(path, 'before\n');
    const file = openRotatingFile(path, 1000);
    file.write('after\n');
    file.close();
    expect(readFileSync(path, 'utf8')).toBe('before\nafter\n');
  });
});

describe('the logger of a station', () => {
  it('writes a line of JSON an entry, at its level, with the bindings of its room', () => {
    using folder = tempFolder('log');
    const path = join(folder.path, 'station.log');
    const { log, close } = openLogger({ level: 'info', file: path });
    log.debug({ a: 1 }, 'not this');
    log.child({ room: 'swarm' }).info({ a: 2 }, 'this');
    close();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ room: 'swarm', a: 2, msg: 'this' }),
    ]);
  });
});

describe('the ready line', () => {
  it('says who is ready, or why nobody is', () => {
    using folder = tempFolder('ready');
    const tell = (write: (fd: number) => void) => {
      const path = join(folder.path, 'line');
      write(openSync(path, 'w'));
      return parseReadyLine(readFileSync(path, 'utf8'));
    };
    expect(tell((fd) => tellReady(fd, '12D3KooW'))).toEqual({
      event: 'ready',
      peerId: '12D3KooW',
      pid: process.pid,
    });
    const fault = new Fault('busy', 'port-taken', 'the port is taken', { fields: { port: 4001 } });
    expect(tell((fd) => tellStartFault(fd, fault))).toEqual({
      event: 'fault',
      fault: { kind: 'busy', code: 'port-taken', message: 'the port is taken', fields: { port: 4001 } },
    });
  });

  it('does not throw when nobody listens any more, and what is no line is none', () => {
    const fd = openSync('/dev/null', 'r');
    expect(() => tellReady(fd, 'x')).not.toThrow();
    try {
      closeSync(fd);
    } catch {
      // Closed by the telling where the system allowed the write.
    }
    for (const text of ['', '{', 'null', '1', '{"event":"other"}'])
      expect(parseReadyLine(text)).toBeUndefined();
  });
});
