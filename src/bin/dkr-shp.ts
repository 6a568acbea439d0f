#!/usr/bin/env node
import { runProcess } from '../cli/run-process.ts';

// From source the station is src/bin/station.ts, in the package dist/station.js: each beside this file.
const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
await runProcess(new URL(`./station.${ending}`, import.meta.url));
