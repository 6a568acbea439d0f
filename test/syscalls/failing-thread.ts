import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Fault } from '../../src/base/fault.ts';
import { createSyscalls } from '../../src/syscalls/koffi-syscalls.ts';

// Fails so many times, and says which errnos it saw.
const syscalls = createSyscalls();
const seen = new Set<unknown>();
for (let call = 0; call < (workerData as number); call++) {
  try {
    syscalls.backingOpen(1_000_000, 0);
  } catch (error) {
    seen.add((error as Fault).fields['errno']);
  }
}
(parentPort as MessagePort).postMessage([...seen]);
