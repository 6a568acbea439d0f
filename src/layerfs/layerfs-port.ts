import { toFault } from '../base/fault.ts';
import type { Logger } from '../observe/logger.ts';
import type { LayerfsCommand, LayerfsEvent, Mailbox } from './chain-messages.ts';
import type { ChainTable } from './chain-table.ts';
import type { ContentOpener } from './content-opener.ts';
import { NODES_PER_CHAIN } from './node-number.ts';
import type { OpenTable } from './open-table.ts';
import type { TouchRecorder } from './touch-recorder.ts';

export interface LayerfsPort {
  /** Between two requests: a look at the counter, and at the clock where something is due. */
  poll(): void;
}

export interface LayerfsPortComponents {
  readonly mailbox: Mailbox<LayerfsEvent, LayerfsCommand>;
  readonly counter: Int32Array;
  readonly chains: ChainTable;
  readonly content: ContentOpener;
  readonly touches: TouchRecorder;
  readonly opens: OpenTable;
  readonly logger: Logger;
}

type Commands = { readonly [C in LayerfsCommand as C['do']]: (command: C) => void };

/** What the FUSE thread does with what the main thread says. */
export function createLayerfsPort(components: LayerfsPortComponents): LayerfsPort {
  const { mailbox, counter, chains, content, touches, opens, logger } = components;
  /** Of a chain: its opens when they were told last. */
  const told = new Map<string, number>();
  // What was posted before this thread ran is heard at the first request.
  let heard = -1;

  const commands: Commands = {
    add: ({ chain }) => {
      const known = chains.get(chain.key);
      if (known?.recording === true && !chain.recording) touches.end(chain.key);
      chains.add(chain);
    },
    forget: ({ key }) => {
      const chain = chains.forget(key);
      told.delete(key);
      if (chain !== undefined) content.forgetChain(chain, chain.base + NODES_PER_CHAIN);
    },
    complete: ({ key, complete }) => {
      const chain = chains.get(key);
      if (chain !== undefined) chain.complete = complete;
    },
    recording: ({ key, recording }) => {
      const chain = chains.get(key);
      if (chain !== undefined) chain.recording = recording;
      if (!recording) touches.end(key);
    },
    quarantine: ({ key, quarantined }) => {
      const chain = chains.get(key);
      if (chain !== undefined) chain.quarantined = quarantined;
    },
    uncount: ({ node, handle }) => content.release(node, handle),
    report: ({ number }) => {
      touches.flush();
      tellCounts();
      mailbox.post({ tell: 'reported', number });
    },
  };

  const hear = (): void => {
    for (;;) {
      const command = mailbox.receive();
      if (command === undefined) return;
      try {
        (commands[command.do] as (command: LayerfsCommand) => void)(command);
      } catch (thrown) {
        const { message, code, fields } = toFault(thrown);
        logger.error({ code, command: command.do, ...fields }, `a command was not carried out: ${message}`);
      }
    }
  };

  const tellCounts = (): void => {
    for (const { key, passthroughOpens, readOpens } of chains.all()) {
      const all = passthroughOpens + readOpens;
      if (told.get(key) === all || (all === 0 && !told.has(key))) continue;
      told.set(key, all);
      mailbox.post({ tell: 'opens', key, passthrough: passthroughOpens, read: readOpens });
    }
  };

  return {
    poll() {
      opens.flush();
      touches.poll();
      const now = Atomics.load(counter, 0);
      if (now === heard) return;
      heard = now;
      hear();
    },
  };
}
