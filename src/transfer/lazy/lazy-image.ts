import { setTimeout as sleep } from 'node:timers/promises';
import { CID } from 'multiformats/cid';
import { Fault, toFault } from '../../base/fault.ts';
import type { ImageProfile } from '../../store/image-records.ts';
import type { TransferComponents, TransferSettings } from '../transfer-components.ts';
import { fetchRest, type Pacer } from './background-fetch.ts';
import { readLeaves } from './demand-read.ts';
import { pinCompleted, verifyImageLayers } from './image-completion.ts';
import { type LazyDraft, type LazyMemo, manifestOf, mountableOf } from './lazy-draft.ts';
import type { LazyView, MountableImage, WantedLeaves } from './lazy-images.ts';
import { retakeLayers } from './lazy-open.ts';
import { createLazySession, type LazySession, type LazyTally, openLayers } from './lazy-session.ts';
import type { LazySettings } from './lazy-settings.ts';
import type { OfferedProfile } from './offered-profile.ts';
import { profileFacts, profileLeaves } from './profile-facts.ts';
import { createSessionHolder, type SessionHolder } from './session-holder.ts';

/** What the images under way have in common. */
export interface LazySurroundings {
  readonly components: TransferComponents;
  readonly settings: TransferSettings & LazySettings;
  readonly pacer: Pacer;
  /** Verifications come one after the other. */
  readonly verifyTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Its record is pinned. */
  readonly completed: (image: LazyImage) => Promise<void>;
  readonly quarantined: (image: LazyImage) => void;
}

const IDLE_MS = 30_000;
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 60_000;
const DISK_PAUSE_MS = 10_000;
const LOOK_MS = 500;

/** One image that is used before it is here, until its record is pinned. */
export class LazyImage {
  readonly key: string;
  draft: LazyDraft;
  readonly #around: LazySurroundings;
  readonly #holder: SessionHolder;
  readonly #tally: LazyTally = { wireBytes: 0, byPeer: {} };
  /** Ends the background. */
  readonly #background = new AbortController();
  /** Ends reads: quarantined, removed, or the station stops. */
  readonly #lost = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #writing: Promise<void> = Promise.resolve();
  #state: LazyView['state'] = 'fetching';
  #why: string | undefined;
  #pinning = false;
  /** Its record is pinned, or it was given up: the draft is nobody's any more. */
  done = false;
  #profile: 'none' | 'used' | 'here' = 'none';
  #counted = { bytes: 0, here: 0 };

  constructor(draft: LazyDraft, around: LazySurroundings) {
    this.key = draft.key;
    this.draft = draft;
    this.#around = around;
    this.#holder = createSessionHolder(() => this.#openSession(), {
      idleMs: IDLE_MS,
      onEnd: (session) => {
        this.#counted = session.count();
      },
    });
    if (draft.memo.state === 'quarantined') this.#stateIs('quarantined', draft.memo.why);
    if (draft.record.profiles !== undefined) this.#profile = 'used';
  }

  get quarantined(): boolean {
    return this.#state === 'quarantined';
  }

  /** The session by which it was opened: its indexes need not be read again. */
  adopt(session: LazySession): void {
    this.#holder.adopt(session);
  }

  sessionOf(layers: LazySession['layers'], lease: LazySession['lease']): LazySession {
    const root = CID.parse(this.key);
    return createLazySession(this.#around.components, { root, layers, lease, tally: this.#tally });
  }

  async #openSession(): Promise<LazySession> {
    const { components, settings } = this.#around;
    const lease = components.store.lease('read', { shared: this.draft.record.shared });
    try {
      const layers = await openLayers(components.store, manifestOf(this.draft)).catch((error) => {
        if (!(error instanceof Fault) || (error.kind !== 'not-found' && error.kind !== 'corrupt'))
          throw error;
        const { record } = this.draft;
        return retakeLayers(components, settings, lease, { record, signal: this.#lost.signal });
      });
      return this.sessionOf(layers, lease);
    } catch (error) {
      lease.end();
      throw error;
    }
  }

  /** Fetches the start-up profile's batch, then the rest. Returns at once. */
  begin(offered: Promise<OfferedProfile | undefined>): void {
    if (this.quarantined) return;
    this.#running = this.#run(offered).catch((error) => {
      const { logger } = this.#around.components;
      if (!this.#background.signal.aborted)
        logger.error({ image: this.key, error: String(error) }, 'a lazy image stopped');
    });
  }

  async #run(offered: Promise<OfferedProfile | undefined>): Promise<void> {
    await this.#holder
      .use((session) => this.#useProfile(session, offered))
      .catch((error) => this.#failed(error));
    await this.#holder.use((session) => session.prepared()).catch((error) => this.#failed(error));
    if (this.#around.settings.background === 'off') {
      this.#stateIs('waiting', 'fetch.background is off: what is read comes, nothing else');
      return;
    }
    for (let pause = FIRST_PAUSE_MS; !this.#background.signal.aborted; ) {
      const came = this.#tally.wireBytes;
      try {
        await this.#complete();
        return;
      } catch (error) {
        if (this.quarantined) return;
        const fault = this.#failed(error);
        if (this.#tally.wireBytes > came) pause = FIRST_PAUSE_MS;
        await this.#pause(fault.code === 'disk-full' ? DISK_PAUSE_MS : pause);
        pause = Math.min(LAST_PAUSE_MS, pause * 2);
      }
    }
  }

  async #useProfile(session: LazySession, offered: Promise<OfferedProfile | undefined>): Promise<void> {
    const found = await offered;
    if (found === undefined) return;
    const indexes = profileLeaves(found.profile, session);
    if (indexes === undefined) return;
    this.#profile = 'used';
    await session.targets.lookUp(indexes);
    const missing = indexes.filter((index) => !session.targets.has(index));
    this.#stateIs('fetching');
    const { signal } = this.#background;
    if (missing.length > 0) await session.fetch(missing, { wantClass: 'profile', signal });
    this.#profile = 'here';
    const { store } = this.#around.components;
    if (this.draft.record.profiles?.some(({ root }) => root === this.key)) return;
    store.blocks.put(session.lease, found.cid, found.bytes);
    const facts = profileFacts(found.profile, session.layers);
    const { length: size } = found.bytes;
    await this.setProfile({
      ...facts,
      profile: found.cid.toString(),
      size,
      source: 'catalogue',
      recorded: [],
    });
  }

  async #complete(): Promise<void> {
    const { components, settings, pacer, verifyTurn } = this.#around;
    const { signal } = this.#background;
    await this.#holder.use(async (session) => {
      this.#stateIs('fetching');
      await fetchRest(components, settings, session, { pacer, signal });
      await verifyTurn(async () => {
        this.#stateIs('verifying');
        const tarSizes = await this.#verified(session);
        this.#pinning = true;
        try {
          await pinCompleted(components, settings, session, this.draft, { tarSizes, signal });
        } finally {
          this.#pinning = false;
        }
      });
    });
    await this.#whole();
  }

  async #whole(): Promise<void> {
    this.done = true;
    await this.#around.completed(this);
    this.#stateIs('complete');
    this.#holder.end();
  }

  async #verified(session: LazySession): Promise<number[]> {
    const { components, settings } = this.#around;
    try {
      return await verifyImageLayers(components, settings, session, this.#background.signal);
    } catch (error) {
      const fault = toFault(error);
      if (fault.kind === 'corrupt' || fault.kind === 'invalid') await this.#quarantine(fault);
      throw fault;
    }
  }

  async #quarantine(fault: Fault): Promise<void> {
    const { logger } = this.#around.components;
    const number = manifestOf(this.draft).layers.findIndex(({ root }) => root === fault.fields['layer']);
    const why = number < 0 ? fault.message : `layer ${number} is not what it says: ${fault.message}`;
    logger.error(
      { image: this.draft.record.root, key: this.key, code: fault.code, reason: why },
      'an image is quarantined',
    );
    this.#stateIs('quarantined', why);
    this.#lost.abort(this.#refusal());
    this.#around.quarantined(this);
    this.#holder.end();
    await this.#remember({ state: 'quarantined', why });
  }

  #refusal(): Fault {
    return new Fault(
      'corrupt',
      'quarantined',
      `image ${this.draft.record.root} is quarantined: ${this.#why}`,
      {
        fields: { image: this.draft.record.root, why: this.#why },
      },
    );
  }

  /** A lie was found: it must not be used. @throws Fault `corrupt/quarantined` */
  checkSound(): void {
    if (this.quarantined) throw this.#refusal();
  }

  #failed(error: unknown): Fault {
    const fault = toFault(error);
    if (this.#background.signal.aborted || this.quarantined) return fault;
    const { logger } = this.#around.components;
    this.#stateIs('waiting', fault.message);
    logger.warn(
      { image: this.draft.record.root, code: fault.code, reason: fault.message },
      'a lazy image waits',
    );
    const session = this.#holder.current();
    if (fault.code === 'disk-full' && session !== undefined) this.#holder.drop(session);
    return fault;
  }

  /** Until the time is over, or another station is there than before. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#background;
    const { swarm, clock } = this.#around.components;
    const stations = (): string =>
      swarm
        .peers()
        .filter(({ station, dropped }) => station && dropped === undefined)
        .map(({ id }) => id)
        .sort()
        .join();
    const before = new Set(stations().split(','));
    for (const end = clock.monotonic() + ms; clock.monotonic() < end && !signal.aborted; ) {
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => {});
      if (
        stations()
          .split(',')
          .some((peer) => !before.has(peer))
      )
        return;
    }
  }

  #stateIs(state: LazyView['state'], why?: string): void {
    this.#state = state;
    this.#why = why;
  }

  async want(leaves: WantedLeaves, signal: AbortSignal): Promise<{ complete: boolean }> {
    this.checkSound();
    const { components, settings } = this.#around;
    const image = this.draft.record.names[0] ?? this.draft.memo.reference;
    const signals = AbortSignal.any([signal, this.#lost.signal]);
    try {
      return await readLeaves(
        { ...components, holder: this.#holder, image, waitMs: settings.waitMs, signal: signals },
        leaves,
      );
    } catch (error) {
      this.checkSound();
      throw error;
    }
  }

  mountable(): MountableImage {
    return mountableOf(this.draft, this.#state === 'complete');
  }

  view(recording: boolean): LazyView {
    const { record } = this.draft;
    const { bytes, here } = this.#holder.current()?.count() ?? this.#counted;
    return {
      key: this.key,
      imageRoot: record.root,
      names: record.names,
      bytes,
      here,
      state: this.#state,
      ...(this.#why === undefined ? {} : { why: this.#why }),
      byPeer: { ...this.#tally.byPeer },
      profile: recording ? 'recording' : this.#profile,
      wireBytes: this.#tally.wireBytes,
    };
  }

  /** Names by which it was opened once more. */
  async join({ names: more }: { readonly names: readonly string[] }): Promise<void> {
    const names = [...new Set([...this.draft.record.names, ...more])];
    if (names.length === this.draft.record.names.length) return this.settled();
    this.draft = { ...this.draft, record: { ...this.draft.record, names } };
    await this.#remember({});
  }

  /** Its draft is durable for the first time. */
  persist(): Promise<void> {
    return this.#remember({});
  }

  /** All that was to be remembered is durable. */
  settled(): Promise<void> {
    return this.#writing;
  }

  /** It is sound, and every index is here. */
  isOpen(): boolean {
    const { objects } = this.#around.components.store;
    return !this.quarantined && this.draft.memo.indexes.every((index) => objects.has(CID.parse(index)));
  }

  async setMounted(mounted: boolean): Promise<void> {
    if (this.draft.memo.mounted !== mounted) await this.#remember({ mounted });
  }

  async setProfile(profile: ImageProfile | undefined): Promise<void> {
    const others = (this.draft.record.profiles ?? []).filter(({ root }) => root !== this.key);
    const profiles = profile === undefined ? others : [...others, profile];
    this.#profile = profile === undefined ? 'none' : this.#profile;
    this.draft = { ...this.draft, record: { ...this.draft.record, profiles } };
    await this.#remember({});
  }

  /** Writes the draft, one write after the other. */
  #remember(memo: Partial<LazyMemo>): Promise<void> {
    this.draft = { ...this.draft, memo: { ...this.draft.memo, ...memo } };
    if (this.done) return this.#writing;
    const written = this.#writing.then(() => this.#around.components.store.drafts.put(this.draft));
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Another operation pinned it. */
  async pinned(): Promise<void> {
    if (this.done || this.#pinning) return;
    this.done = true;
    this.#background.abort();
    await this.#running;
    await this.#whole();
  }

  /** It is given up: as `stop`, and nothing more is written of it. */
  discard(): Promise<void> {
    this.done = true;
    return this.stop();
  }

  /** Nothing more is fetched; reads that wait are cancelled. */
  async stop(): Promise<void> {
    this.#background.abort();
    this.#lost.abort(new Fault('cancelled', 'cancelled', 'the image is not fetched any more'));
    await this.#running;
    await this.#writing;
    this.#holder.end();
  }
}
