/** What is known of an image's start-up profile: the content that it uses first, in order. */
export interface ProfileView {
  /** CID of the manifest root. */
  readonly key: string;
  /** Where it comes from: recorded here, imported from a file, or named by a station's catalogue. */
  readonly source: 'recorded' | 'imported' | 'catalogue';
  /** CID of the stored profile. */
  readonly profile: string;
  /** Ranges of leaves, and the content bytes that they cover. */
  readonly ranges: number;
  readonly bytes: number;
  /** Runs that it was merged from. */
  readonly runs: number;
}

/** The start-up profiles of the images here, one a manifest root. */
export interface Profiles {
  profile(key: string): ProfileView | undefined;
  /** The profile as docs/dag-format.md describes it. @throws Fault `not-found/no-profile` */
  exportProfile(key: string): Promise<Uint8Array>;
  /**
   * Takes a profile in place of what was known.
   * @throws Fault `not-found/unknown-image`; `corrupt/bad-profile` where it is none, or one of another image
   */
  importProfile(key: string, bytes: Uint8Array): Promise<ProfileView>;
  /** @throws Fault `not-found/no-profile` */
  forgetProfile(key: string): Promise<void>;
}
