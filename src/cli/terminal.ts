/** Where a command writes: results on `out`, progress and notes on `err`. */
export interface Terminal {
  readonly out: TerminalStream;
  readonly err: TerminalStream;
}

/** What of a tty.WriteStream is used; a pipe or file has neither `isTTY` nor a size. */
export interface TerminalStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/**
 * A text from elsewhere (names, file names, messages of peers) without control characters: it cannot move the cursor,
 * change the title or fake other lines.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
