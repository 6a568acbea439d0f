const SHOWN_BYTES = 256;

/**
 * A path of bytes as text for messages and logs: UTF-8 where it is valid, every other byte and every control
 * character as `\xNN`, cut after 256 bytes. Not reversible; never use it as a key.
 */
export function pathText(path: Uint8Array): string {
  const shown = path.length > SHOWN_BYTES ? path.subarray(0, SHOWN_BYTES) : path;
  let text = '';
  let at = 0;
  while (at < shown.length) {
    const length = sequenceLength(shown, at);
    if (length === 0) {
      text += `\\x${(shown[at] as number).toString(16).padStart(2, '0')}`;
      at++;
    } else {
      text += Buffer.from(shown.buffer, shown.byteOffset + at, length).toString('utf8');
      at += length;
    }
  }
  return path.length > SHOWN_BYTES ? `${text}…` : text;
}

/** Bytes of the printable UTF-8 sequence at `at`; 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return lead < 0x20 || lead === 0x7f ? 0 : 1;
  // The second control range of Unicode, which terminals obey too.
  if (lead === 0xc2 && (bytes[at + 1] ?? 0) < 0xa0) return 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('utf8');
  return text.includes('\ufffd') && !isReplacementCharacter(bytes, at) ? 0 : length;
}

function isReplacementCharacter(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd;
}
