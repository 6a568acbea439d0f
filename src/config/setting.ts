/**
 * One setting: all that is known about it stands in its row. The settings file, the help text and docs/settings.md
 * are made from the rows; nothing else says what a setting means.
 */
export interface Setting<T> {
  readonly default: T;
  /** What a value is measured in, for people: `bytes`, `duration`, `one of auto, always, never`, … */
  readonly unit: string;
  /** What it decides and why the default is what it is; one or two sentences. */
  readonly reason: string;
  /**
   * Reads a value of the settings file (a TOML value) or of `--set` (text; a list is separated by commas).
   * @throws Error with what would be right; the reader adds key and file
   */
  parse(raw: unknown): T;
  /** The canonical TOML form, which {@link parse} reads back to an equal value. */
  print(value: T): string;
}

/** What a row says beyond its kind. */
export interface SettingRow<T> {
  readonly default: T;
  readonly reason: string;
}
