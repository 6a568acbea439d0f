import type { Readable } from 'node:stream';
import type { PushRequest } from '../../observe/control/requests.ts';

/** An image to push: what the station is told, and the tar it is given. */
export interface PushSource {
  readonly request: Omit<PushRequest, 'platform' | 'copies'>;
  /** Opens the tar; called once, when the station listens. */
  open(signal: AbortSignal): Promise<Readable>;
}
