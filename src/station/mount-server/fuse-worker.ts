import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../base/clock.ts';
import { createDeviceChannel } from '../../fuse/device-channel.ts';
import { recordFrames } from '../../fuse/frame-ring.ts';
import { notifyResend } from '../../fuse/resend.ts';
import { createFuseSession } from '../../fuse/session.ts';
import type { SessionTerms } from '../../fuse/session-terms.ts';
import type { LayerfsCommand } from '../../layerfs/chain-messages.ts';
import { createLayerfs } from '../../layerfs/create-layerfs.ts';
import type { Logger } from '../../observe/logger.ts';
import { createSyscalls } from '../../syscalls/koffi-syscalls.ts';
import { DRAIN, type FuseThreadData, type FuseThreadEvent } from './fuse-thread-messages.ts';
import { writeState } from './state-file.ts';
import { openUnansweredFile, type UnansweredFile } from './unanswered-file.ts';

// The thread that answers the kernel. It blocks in read(2): a busy main thread costs its readers nothing (a stall of 1 s
// there costs 11 ms here; with one loop for both it costs 1000 ms).

const port = parentPort as MessagePort;
const data = workerData as FuseThreadData;
const shared = new Int32Array(data.shared);
const tell = (event: FuseThreadEvent): void => port.postMessage(event);

function threadLogger(bindings: object): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void =>
      tell({ tell: 'log', level, fields: { ...bindings, ...fields }, message });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (more) => threadLogger({ ...bindings, ...more }),
  };
}

let unanswered: UnansweredFile | undefined;
const logger = threadLogger({});
const channel = recordFrames(createDeviceChannel(data.device), data.frames);
const layerfs = createLayerfs(
  {
    mailbox: {
      post(event) {
        if (event.tell === 'missing') unanswered?.add(event.missing);
        tell(event);
      },
      receive: () => receiveMessageOnPort(port)?.message as LayerfsCommand | undefined,
    },
    counter: shared,
    fuseDevice: data.device,
    syscalls: createSyscalls(),
    logger,
    clock: systemClock,
  },
  { root: data.root, opens: data.opens, resumed: data.resumed, wholeAtOpen: data.wholeAtOpen },
);

function agreed(terms: SessionTerms): void {
  if (!(data.resend && terms.resend)) {
    unanswered = openUnansweredFile(data.unanswered, data.unansweredMemory);
  }
  if (!data.passthrough) layerfs.passthrough(false, 'mount.passthrough is off');
  else if (!terms.passthrough)
    layerfs.passthrough(false, 'the kernel has no FUSE passthrough (Linux 6.9 and later)');
  else layerfs.passthrough(true);
  tell({ tell: 'terms', terms });
}

if (data.terms !== undefined) agreed(data.terms);
const session = createFuseSession(
  {
    channel,
    filesystem: layerfs.filesystem,
    logger,
    counters: new Uint32Array(data.counters),
    ...(data.terms === undefined ? {} : { terms: data.terms }),
    poll() {
      layerfs.poll();
      if (shared[DRAIN] === 1) session.stop();
    },
    agreed(terms) {
      writeState(data.session, terms);
      agreed(terms);
    },
  },
  { passthrough: data.passthrough },
);
if (data.resumed && data.resend) {
  try {
    notifyResend(channel);
  } catch (error) {
    logger.info({ error: String(error) }, 'the kernel does not send again what was left unanswered');
  }
}
tell({ tell: 'served', end: session.serve() });
layerfs.close();
