import type { FaultRecord } from '../base/fault.ts';

export type LayerPhase = 'waiting' | 'reading' | 'fetching' | 'verifying' | 'done';

/** One layer's state; sent again whenever it changed, at most every 100 ms a layer. */
export interface LayerProgress {
  readonly event: 'layer';
  /** Position in the operation, 0-based, bottom first where the order is known. */
  readonly index: number;
  /** First 12 hex of the diffID where known, else of the blob's digest or a file name. */
  readonly name: string;
  readonly phase: LayerPhase;
  /** Content bytes done so far, "already here" ones included. */
  readonly bytes: number;
  /** Content bytes in all, where known. */
  readonly total?: number;
  /** Of `bytes`: what was already here and needed neither fetching nor writing. */
  readonly here: number;
}

/** The whole operation. */
export interface TotalProgress {
  readonly event: 'total';
  readonly bytes: number;
  readonly total?: number;
  readonly here: number;
  /** Bytes moved over the wire (pull) or written to disk (push). */
  readonly moved: number;
  /** Bytes a second, decayed over about 2 s. */
  readonly rate: number;
  readonly peers: number;
  /** Seconds to go, where it can be told. */
  readonly eta?: number;
}

/** One line for people, on stderr. */
export interface NoteProgress {
  readonly event: 'note';
  readonly text: string;
}

export interface ResultProgress<T> {
  readonly event: 'result';
  readonly result: T;
}

export interface FaultProgress {
  readonly event: 'fault';
  readonly fault: FaultRecord;
}

/** What an operation reports while it works; the control door sends each as one line of JSON. */
export type Progress = LayerProgress | TotalProgress | NoteProgress;
export type ProgressListener = (progress: Progress) => void;
export type OperationEvent<T> = Progress | ResultProgress<T> | FaultProgress;
