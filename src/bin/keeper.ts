import { parseArgs } from 'node:util';
import { runKeeperProcess } from '../keeper/run-keeper.ts';

const { values } = parseArgs({ options: { root: { type: 'string', default: '/var/lib/shp' } } });
process.exit(await runKeeperProcess(values.root));
