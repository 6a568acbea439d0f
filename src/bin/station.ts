import { parseArgs } from 'node:util';
import { tellStartFault } from '../observe/ready-line.ts';
import { runStation } from '../station/run-station.ts';

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: '/var/lib/shp' },
    set: { type: 'string', multiple: true, default: [] },
    'ready-fd': { type: 'string' },
  },
});
const readyFd = values['ready-fd'] === undefined ? undefined : Number(values['ready-fd']);
try {
  await runStation({ root: values.root, set: values.set, ...(readyFd === undefined ? {} : { readyFd }) });
} catch (error) {
  if (readyFd !== undefined) tellStartFault(readyFd, error);
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
