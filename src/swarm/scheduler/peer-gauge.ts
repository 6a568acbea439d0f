/** What a block of unknown size is taken for. */
export const USUAL_BYTES = 256 * 1024;

/** What a link was measured to give, and what the peer earns by it. Times in milliseconds, rates in bytes a second. */
export class PeerGauge {
  readonly #compress: 'auto' | 'never' | 'always';
  #latency: number | undefined;
  #rate: number | undefined;
  #wireRate: number | undefined;
  #sampleAt: number | undefined;
  #sampleEnd = 0;
  #samplePlain = 0;
  #sampleWire = 0;
  /** Moving mean and mean deviation of how late demand blocks come. */
  #demandMean: number | undefined;
  #demandDeviation = 0;
  #samples = 0;
  /** Plain bytes of all samples. */
  #measured = 0;
  #level = 0;
  /** Compression was begun on a link that was measured without. */
  #trial: { readonly since: number; readonly rate: number } | undefined;
  /** The peer was measured with compression and without, and is faster with it. */
  #proven = false;
  #restUntil = Number.NEGATIVE_INFINITY;

  constructor(compress: 'auto' | 'never' | 'always', latency: number | undefined) {
    this.#compress = compress;
    this.#latency = latency;
  }

  /** Smallest round trip, `undefined` before the first. */
  get latency(): number | undefined {
    return this.#latency;
  }

  /** Plain bytes a second while it is asked. */
  get rate(): number | undefined {
    return this.#rate;
  }

  /** @param idle nothing else was on its way: then a longer one counts too; under load it holds our own queue */
  roundTrip(ms: number, idle: boolean): void {
    if (this.#latency === undefined || ms < this.#latency) this.#latency = ms;
    else if (idle) this.#latency += (ms - this.#latency) * 0.25;
  }

  /** Bytes came while the peer was asked for some. The first ones begin the sample: what is before them is latency. */
  received(wire: number, plain: number, now: number): void {
    if (this.#sampleAt === undefined) {
      this.#sampleAt = now;
      this.#sampleEnd = now;
      this.#samplePlain = 0;
      this.#sampleWire = 0;
      return;
    }
    this.#samplePlain += plain;
    this.#sampleWire += wire;
    this.#sampleEnd = now;
    if (now - this.#sampleAt >= SAMPLE_MS && this.#samplePlain > 0) {
      this.#sample();
      this.#sampleAt = now;
      this.#samplePlain = 0;
      this.#sampleWire = 0;
    }
  }

  /** Nothing is asked of the peer any more, or what it may send is limited by us: time that passes is not its own. */
  pause(): void {
    if (
      this.#sampleAt !== undefined &&
      this.#samplePlain >= SHORT_SAMPLE_BYTES &&
      this.#sampleEnd - this.#sampleAt >= SHORT_SAMPLE_MS
    ) {
      this.#sample();
    }
    this.#sampleAt = undefined;
  }

  #sample(): void {
    const seconds = Math.max(0.001, (this.#sampleEnd - (this.#sampleAt ?? 0)) / 1000);
    this.#rate = decay(this.#rate, this.#samplePlain / seconds);
    this.#wireRate = decay(this.#wireRate, this.#sampleWire / seconds);
    this.#samples++;
    this.#measured += this.#samplePlain;
    this.#chooseLevel(this.#sampleEnd);
  }

  /** Its share goes down to the least: it earns a new one by delivering. */
  punish(): void {
    this.#sampleAt = undefined;
    this.#rate = (this.#rate ?? ASSUMED_RATE) / 8;
  }

  demandTook(ms: number): void {
    if (this.#demandMean === undefined) {
      this.#demandMean = ms;
      this.#demandDeviation = ms / 2;
      return;
    }
    const off = ms - this.#demandMean;
    this.#demandMean += off / 8;
    this.#demandDeviation += (Math.abs(off) - this.#demandDeviation) / 4;
  }

  /** When a demand block is late: twice what nine of ten need (mean and 1.3 deviations), at least 50 ms. */
  demandLate(size: number): number {
    const usual =
      this.#demandMean === undefined
        ? this.expected(size) * 2
        : this.#demandMean + 1.3 * this.#demandDeviation;
    return Math.max(50, 2 * usual);
  }

  /** Until `bytes`, asked now with nothing before them, are here. */
  expected(bytes: number): number {
    return (this.#latency ?? 20) + (bytes / Math.max(1, this.#rate ?? ASSUMED_RATE)) * 1000;
  }

  /**
   * Plain bytes that may be asked at once: the link's content and {@link QUEUE_MS} in the peer's queue. It is more
   * than was delivered in a round trip, so it grows as long as the peer delivers more.
   */
  window(): number {
    if (this.#rate === undefined) return FIRST_WINDOW;
    const earned = (this.#rate * ((this.#latency ?? 20) * 1.25 + QUEUE_MS)) / 1000;
    return Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, earned));
  }

  /** Wire bytes of bulk beyond what is received: the link's content, and one group that the sender has ready. */
  ahead(): number {
    if (this.#wireRate === undefined) return FIRST_WINDOW;
    const content = (this.#wireRate * (this.#latency ?? 20) * 1.25) / 1000;
    return Math.min(MAX_WINDOW, Math.max(MIN_AHEAD, content + MIN_AHEAD / 2));
  }

  /**
   * zstd level to ask for. 0.385 of plain at level 6 and 91 MB/s, 0.40 at level 3 and 218 MB/s (Debian's /usr, groups of
   * 256 KiB, one core); libp2p's encryption stops at about 130 MB/s, so a fast link goes without.
   * @param bulk not: what somebody waits for. It is little, and no link is known to be fast before it came; encryption
   *   costs as much a byte as level 3, so nothing is lost.
   */
  level(bulk = true): number {
    if (this.#compress === 'never') return 0;
    if (!bulk) return Math.max(LEAST_LEVEL, this.#wireRate === undefined ? 0 : this.#level);
    if (this.#compress === 'always') return 3;
    if (this.#wireRate === undefined) return (this.#latency ?? 0) > FAR_MS ? 3 : 0;
    return this.#level;
  }

  /** What was measured decides; where it is the machine that is slow and not the link, compression makes it worse. */
  #chooseLevel(now: number): void {
    const wire = this.#wireRate ?? 0;
    const far = (this.#latency ?? 0) > FAR_MS;
    if (this.#trial !== undefined) {
      if (now - this.#trial.since < TRIAL_MS) return;
      const better = (this.#rate ?? 0) > this.#trial.rate * TRIAL_GAIN;
      this.#trial = undefined;
      this.#proven = better;
      if (!better) {
        this.#level = 0;
        this.#restUntil = now + REST_MS;
      }
    }
    if (now < this.#restUntil) return;
    if (this.#level > 0 && !this.#proven && !far && this.#trial === undefined) {
      // Begun because the first round trips, of two ends that warm up, looked like a far link's. While it compresses the
      // processor may be what limits the wire, so only figures without it tell.
      this.#level = 0;
      this.#measured = 0;
      return;
    }
    const before = this.#samples === 1 && far ? 3 : this.#level;
    // Near, the first figures are those of two ends that warm up (17 MB/s where 90 followed): no sign of a slow link.
    const trusted = far || this.#measured >= NEAR_EVIDENCE;
    const level = wire < SLOW_LINK && trusted ? 6 : far && wire < MIDDLE_LINK ? 3 : 0;
    if (level > 0 && before === 0) this.#trial = { since: now, rate: this.#rate ?? 0 };
    this.#level = level;
  }
}

function decay(before: number | undefined, now: number): number {
  return before === undefined ? now : before + (now - before) * 0.3;
}

const SAMPLE_MS = 100;
const SHORT_SAMPLE_BYTES = 256 * 1024;
/** What comes in one turn of the event loop tells nothing of the link. */
const SHORT_SAMPLE_MS = 20;
const QUEUE_MS = 150;
const FIRST_WINDOW = 1024 * 1024;
const MIN_WINDOW = 256 * 1024;
const MAX_WINDOW = 16 * 1024 * 1024;
const MIN_AHEAD = 512 * 1024;
/** Of a peer that was not measured yet. */
const ASSUMED_RATE = 10e6;
/** A round trip that leaves the house; on loopback the first one, while both ends set up, took up to 7. */
const FAR_MS = 10;
/** Slower than this is 100 Mbit/s at most. */
const SLOW_LINK = 16e6;
const MIDDLE_LINK = 60e6;
/** Plain bytes of a near peer before a slow figure is believed. */
const NEAR_EVIDENCE = 8 * 1024 * 1024;
/** After so long compression must have made the peer faster by this, or it is left for a while. */
const TRIAL_MS = 1500;
/** Of what somebody waits for. */
const LEAST_LEVEL = 3;
const TRIAL_GAIN = 1.1;
const REST_MS = 30_000;
