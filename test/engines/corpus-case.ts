/** A stack of layers' tars, bottom first. */
export interface CorpusCase {
  readonly name: string;
  readonly layers: readonly Uint8Array[];
  /** Docker 20.10 refuses or reads it otherwise: its tar-split knows each path once, its Go drops empty records. */
  readonly containerdOnly?: boolean;
}
