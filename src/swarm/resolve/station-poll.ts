import type { Logger } from '../../observe/logger.ts';
import { askPeer } from '../network/message-exchange.ts';
import type { Stations } from '../network/stations.ts';
import { checkAnswers, type PeerAnswer } from './peer-answer.ts';
import { decodeAnswers, encodeQuestion, RESOLVE_LIMITS, type ResolveQuestion } from './resolve-codec.ts';

export const RESOLVE_PROTOCOL = '/shp/resolve/1';

export interface StationPollComponents {
  readonly stations: Stations;
  /** Peers found by themselves that are being dialled now. */
  readonly dialling: () => number;
  readonly logger: Logger;
}

export interface PollResult {
  readonly answers: readonly PeerAnswer[];
  readonly asked: readonly string[];
}

export interface PollOptions {
  /** Ask this one only. */
  readonly from?: string | undefined;
  readonly waitMs: number;
  /** Nobody who is only being dialled is waited for. */
  readonly connectedOnly?: boolean;
  readonly signal: AbortSignal;
}

/** Stations asked at one time: each may send a whole reply. */
const MAX_ASKING = 16;
/** After the first answer the others have so long. */
const AFTER_FIRST_MS = 1_500;
/** Peers being dialled or not yet identified are waited for so long, if anyone was asked at all. */
const PENDING_MS = 3_000;

/**
 * Asks every connected station, and those that come meanwhile. Ends when all have answered, {@link AFTER_FIRST_MS}
 * after the first answer, or when the time is over.
 */
export async function pollStations(
  { stations, dialling, logger }: StationPollComponents,
  question: ResolveQuestion,
  options: PollOptions,
): Promise<PollResult> {
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal, AbortSignal.timeout(options.waitMs)]);
  const answers: PeerAnswer[] = [];
  const asked = new Set<string>();
  const bytes = encodeQuestion(question);
  const wakers = new Set<() => void>();
  const timers: NodeJS.Timeout[] = [];
  const wake = () => {
    for (const waker of wakers) waker();
  };
  let asking = 0;
  let patient = options.connectedOnly !== true;

  const ask = async (peer: string): Promise<void> => {
    asked.add(peer);
    asking++;
    try {
      const reply = await askPeer(() => stations.openStream(peer, RESOLVE_PROTOCOL, signal), bytes, {
        maxBytes: RESOLVE_LIMITS.replyBytes,
        signal,
      });
      const found = checkAnswers(peer, question, decodeAnswers(reply));
      if (found.length > 0 && answers.length === 0) {
        timers.push(setTimeout(() => over.abort(), AFTER_FIRST_MS));
      }
      answers.push(...found);
    } catch (error) {
      if (!signal.aborted) logger.debug({ peer, error: String(error) }, 'a station gave no answer');
    } finally {
      asking--;
      wake();
    }
  };

  timers.push(
    setTimeout(() => {
      patient = false;
      wake();
    }, PENDING_MS),
  );
  try {
    while (!signal.aborted) {
      const here = options.from === undefined ? stations.connectedStations() : [options.from];
      for (const peer of here) if (asking < MAX_ASKING && !asked.has(peer)) void ask(peer);
      const pending = options.from === undefined && patient && (dialling() > 0 || stations.unidentified > 0);
      if (asked.size > 0 && asking === 0 && !pending) break;
      const { promise, resolve } = Promise.withResolvers<void>();
      wakers.add(resolve);
      await Promise.race([promise, stations.change(signal)]);
      wakers.delete(resolve);
    }
    options.signal.throwIfAborted();
    return { answers, asked: [...asked] };
  } finally {
    over.abort();
    for (const timer of timers) clearTimeout(timer);
  }
}
