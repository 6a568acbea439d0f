import { CID } from 'multiformats/cid';
import { Fault } from '../../base/fault.ts';
import type { ImageCommand } from '../../image/oci/image-command.ts';
import type { ImageProfile } from '../../store/image-records.ts';
import { readLeaves } from './demand-read.ts';
import { type FilledImage, type FillSurroundings, fillImage } from './fill-image.ts';
import { createForesight, type Foresight } from './foresight.ts';
import { type LazyDraft, type LazyMemo, manifestOf, mountableOf } from './lazy-draft.ts';
import type { LazyView, MountableImage, WantedLeaves } from './lazy-images.ts';
import { retakeLayers } from './lazy-open.ts';
import { createLazySession, type LazySession, type LazyTally, openLayers } from './lazy-session.ts';
import type { OfferedProfile } from './offered-profile.ts';
import { createReadQuiet, type ReadQuiet } from './read-quiet.ts';
import { createSessionHolder, type SessionHolder } from './session-holder.ts';

/** What the images under way have in common. */
export interface LazySurroundings extends FillSurroundings {
  /** Its record is pinned. */
  readonly completed: (image: LazyImage) => Promise<void>;
  readonly quarantined: (image: LazyImage) => void;
}

const IDLE_MS = 30_000;

/** One image that is used before it is here, until its record is pinned. */
export class LazyImage {
  readonly key: string;
  draft: LazyDraft;
  readonly #around: LazySurroundings;
  readonly #holder: SessionHolder;
  readonly #quiet: ReadQuiet;
  #foresight: Foresight | undefined;
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
    this.#quiet = createReadQuiet(around.components.clock);
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

  /**
   * Fetches the start-up profile's batch, then, behind `opened`, the rest. Returns at once.
   * @param command what is foreseen to run where there is no profile
   */
  begin(
    offered: Promise<OfferedProfile | undefined>,
    { opened = Promise.resolve(), command }: { opened?: Promise<unknown>; command?: ImageCommand } = {},
  ): void {
    if (this.quarantined) return;
    if (command !== undefined) void this.#foresee(offered, command);
    this.#running = this.#run(offered, opened).catch((error) => {
      const { logger } = this.#around.components;
      if (!this.#background.signal.aborted)
        logger.error({ image: this.key, error: String(error) }, 'a lazy image stopped');
    });
  }

  async #foresee(offered: Promise<OfferedProfile | undefined>, command: ImageCommand): Promise<void> {
    const foresight = createForesight({
      store: this.#around.components.store,
      holder: this.#holder,
      signal: this.#background.signal,
    });
    this.#foresight = foresight;
    // At once: what a profile lists begins with the same.
    foresight.begin(command);
    if ((await offered) !== undefined) foresight.stop();
  }

  async #run(offered: Promise<OfferedProfile | undefined>, opened: Promise<unknown>): Promise<void> {
    const holder = this.#holder;
    const draft = (): LazyDraft => this.draft;
    const image: FilledImage = {
      get draft() {
        return draft();
      },
      tally: this.#tally,
      holder,
      quiet: this.#quiet,
      started: () => {
        this.#foresight?.stop();
        this.#foresight = undefined;
      },
      stateIs: (state, why) => this.#stateIs(state, why),
      profileIs: (state) => {
        this.#profile = state;
      },
      setProfile: (profile) => this.setProfile(profile),
      quarantine: (fault) => this.#quarantine(fault),
      pinning: (is) => {
        this.#pinning = is;
      },
    };
    if (await fillImage(image, this.#around, { offered, opened }, this.#background.signal))
      await this.#whole();
  }

  async #whole(): Promise<void> {
    this.done = true;
    await this.#around.completed(this);
    this.#stateIs('complete');
    this.#holder.end();
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

  #stateIs(state: LazyView['state'], why?: string): void {
    this.#state = state;
    this.#why = why;
  }

  async want(leaves: WantedLeaves, signal: AbortSignal): Promise<{ complete: boolean }> {
    this.checkSound();
    const { components, settings } = this.#around;
    const image = this.draft.record.names[0] ?? this.draft.memo.reference;
    const signals = AbortSignal.any([signal, this.#lost.signal]);
    const ended = this.#quiet.wait();
    try {
      const come = readLeaves(
        { ...components, holder: this.#holder, image, waitMs: settings.waitMs, signal: signals },
        leaves,
      );
      if (leaves.ahead !== true) this.#foresight?.read(leaves, come);
      return await come;
    } catch (error) {
      this.checkSound();
      throw error;
    } finally {
      ended();
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
    if (mounted) this.#quiet.touch();
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
    this.#holder.current()?.cancel();
    await this.#running;
    await this.#writing;
    this.#holder.end();
  }
}
