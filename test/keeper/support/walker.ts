import { createHash, randomInt } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { numberedContent } from './numbered-content.ts';

// Reads the numbered files of a mounted image, some for the first time, until it is told to end by a file. Whatever is
// not as it should be ends it with code 1 and says what.

const [target = '', step = '1', first = '0', end = '0', stop = ''] = process.argv.slice(2);
const buffer = Buffer.alloc(256 * 1024);

function check(number: number): void {
  const path = join(target, 'files', String(number));
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  for (let got = readSync(file, buffer); got > 0; got = readSync(file, buffer))
    hash.update(buffer.subarray(0, got));
  closeSync(file);
  const expected = createHash('sha256').update(numberedContent(number)).digest('hex');
  if (hash.digest('hex') !== expected) throw new Error(`${path} has other content`);
}

function absent(): void {
  const name = `none-${randomInt(2 ** 40)}`;
  if (statSync(join(target, 'files', name), { throwIfNoEntry: false }) !== undefined) {
    throw new Error(`${name} is there`);
  }
}

const count = readdirSync(join(target, 'files')).length;
let next = Number(first);
let read = 0;
while (!existsSync(stop)) {
  // new ones as long as there are any, each asked for over the network of the test
  check(next < Number(end) ? next : randomInt(count));
  next += Number(step);
  absent();
  statfsSync(target);
  if (readdirSync(join(target, 'files')).length !== count) throw new Error('the folder changed');
  read++;
}
process.stdout.write(`${read}\n`);
