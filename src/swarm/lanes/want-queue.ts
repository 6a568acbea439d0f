import { WANT_CLASSES } from './messages.ts';

/** One want that a peer waits for. */
export interface OpenWant {
  readonly id: number;
  readonly codec: number;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  readonly level: number;
  /** Index into the classes; -1 once it is answered or cancelled. */
  rank: number;
}

/** The wants of one lane by class, first come first served within a class. */
export class WantQueue {
  readonly #byId = new Map<number, OpenWant>();
  readonly #lines: OpenWant[][] = WANT_CLASSES.map(() => []);
  readonly #heads: number[] = WANT_CLASSES.map(() => 0);
  readonly #waiting: number[] = WANT_CLASSES.map(() => 0);

  get size(): number {
    return this.#byId.size;
  }

  has(id: number): boolean {
    return this.#byId.has(id);
  }

  waiting(rank: number): number {
    return this.#waiting[rank]!;
  }

  add(want: OpenWant): void {
    this.#byId.set(want.id, want);
    this.#lines[want.rank]!.push(want);
    this.#waiting[want.rank]!++;
  }

  /** To a higher class only, so each want stands in each line at most once. */
  reclass(id: number, rank: number): void {
    const want = this.#byId.get(id);
    if (want === undefined || want.rank <= rank) return;
    this.#waiting[want.rank]!--;
    want.rank = rank;
    this.#lines[rank]!.push(want);
    this.#waiting[rank]!++;
  }

  /** Answers whether it still waited. */
  cancel(id: number): boolean {
    const want = this.#byId.get(id);
    if (want === undefined) return false;
    this.#byId.delete(id);
    this.#waiting[want.rank]!--;
    want.rank = -1;
    return true;
  }

  peek(rank: number): OpenWant | undefined {
    const line = this.#lines[rank]!;
    let head = this.#heads[rank]!;
    while (head < line.length && line[head]!.rank !== rank) head++;
    if (head > 1024 && head * 2 > line.length) {
      line.splice(0, head);
      head = 0;
    } else if (head === line.length) {
      line.length = 0;
      head = 0;
    }
    this.#heads[rank] = head;
    return line[head];
  }

  /** Takes what {@link peek} shows. */
  take(rank: number): OpenWant | undefined {
    const want = this.peek(rank);
    if (want === undefined) return undefined;
    this.#heads[rank]!++;
    this.#waiting[rank]!--;
    this.#byId.delete(want.id);
    want.rank = -1;
    return want;
  }
}
