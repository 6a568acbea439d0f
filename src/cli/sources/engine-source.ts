import type { Digest } from '../../base/digest.ts';
import type { CommandContext } from '../command-context.ts';
import { findEngineImage, isById } from '../engine/engine-image.ts';
import { saveImage } from '../engine/engine-store.ts';
import { findEngine } from '../engine/find-engine.ts';
import type { PushSource } from './push-source.ts';

/** An image of the Docker engine, with every name it has there. */
export async function engineSource(
  argument: string,
  names: readonly string[],
  context: CommandContext,
): Promise<PushSource> {
  const engine = await findEngine(context);
  const image = await findEngineImage(engine, argument, context.signal);
  return {
    request: {
      argument,
      by: isById(argument, image) ? 'id' : 'name',
      names: [...new Set([...image.names, ...names])],
      expectedId: image.id as Digest,
    },
    open: (signal) => saveImage(engine, image, signal),
  };
}
