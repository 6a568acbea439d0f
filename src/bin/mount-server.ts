import { parseArgs } from 'node:util';
import { runMountServer } from '../station/mount-server/run-mount-server.ts';

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: '/var/lib/shp' },
    resume: { type: 'boolean', default: false },
    device: { type: 'string', default: '3' },
  },
});
await runMountServer({ root: values.root, resume: values.resume, device: Number(values.device) });
