import type { Response } from 'express';
import { EVENTS_TYPE } from '../../observe/control/endpoints.ts';
import type { OperationEvent } from '../../observe/progress.ts';

/** Unsent bytes above which progress is left out: a slow reader gets fewer events, never a growing queue here. */
const MAX_UNSENT = 256 * 1024;

export interface EventStream {
  send(event: OperationEvent<unknown>): void;
  /** Sends the last event. */
  end(event: OperationEvent<unknown>): void;
}

/** Begins the answer at once: the client reads events while its body is still on the way. */
export function openEventStream(response: Response): EventStream {
  response.status(200).type(EVENTS_TYPE).flushHeaders();
  const write = (event: OperationEvent<unknown>) => response.write(`${JSON.stringify(event)}\n`);
  return {
    send: (event) => {
      if (response.writableEnded || response.destroyed) return;
      const droppable = event.event === 'layer' || event.event === 'total';
      if (!droppable || response.writableLength < MAX_UNSENT) write(event);
    },
    end: (event) => {
      if (response.writableEnded || response.destroyed) return;
      write(event);
      response.end();
    },
  };
}
