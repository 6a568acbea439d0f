import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { type Figure, figureRow } from './figure.ts';

const HEAD = `| figure | shp | against | ratio | 90 % interval | n | target | |
|---|---|---|---|---|---|---|---|`;

/** What the figures were taken on. */
function machineText(): string {
  const debian = readFileSync('/etc/debian_version', 'utf8').trim();
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${memory} GiB of memory, Debian ${debian}, Linux ${release()}, Node ${process.version}`;
}

/** Replaces one suite's section of the page, between its markers, which must be there. */
export function writeResults(page: string, suite: string, figures: readonly Figure[], day: string): void {
  const text = readFileSync(page, 'utf8');
  const [begin, end] = [`<!-- ${suite}: begin -->`, `<!-- ${suite}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${page} has no section ${begin} … ${end}`);
  const section = `${begin}\n${day}, ${machineText()}.\n\n${HEAD}\n${figures.map(figureRow).join('\n')}\n`;
  writeFileSync(page, text.slice(0, from) + section + text.slice(to));
}
