// Run as a process of its own, which its test kills in the middle: opens an image lazily and says how far it is.
import { writeSync } from 'node:fs';
import { stationAt } from './station-at.ts';

const [root = '', address = '', reference = ''] = process.argv.slice(2);
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const { swarm, lazy } = await stationAt(root);
await swarm.connect(address, AbortSignal.timeout(20_000));
const { key } = await lazy.open({ reference, onProgress: () => {}, signal: AbortSignal.timeout(30_000) });
say(`key ${key}`);
setInterval(() => say(`here ${lazy.list()[0]?.here}`), 20);
