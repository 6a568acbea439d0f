import { isUtf8 } from 'node:buffer';

const PERCENT = 0x25;
const fatalDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function escapeByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Length of the valid UTF-8 sequence that begins at `at`; 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

/**
 * A name for people and for `tree/`: valid UTF-8 as it is, but each bad byte, each `%` and each byte of `also`
 * written `%XX`. Different bytes give different text.
 */
export function escapeBytes(bytes: Uint8Array, also?: (byte: number) => boolean): string {
  if (also === undefined && !bytes.includes(PERCENT) && isUtf8(bytes)) return fatalDecoder.decode(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    const length = sequenceLength(bytes, at);
    if (length === 0 || byte === PERCENT || also?.(byte)) {
      text += escapeByte(byte);
      at++;
    } else {
      text += length === 1 ? String.fromCharCode(byte) : fatalDecoder.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** The reverse of {@link escapeBytes}; `undefined` where a `%` is not followed by two hex digits. */
export function unescapeBytes(text: string): Uint8Array | undefined {
  const parts = text.split('%');
  const bytes: Uint8Array[] = [Buffer.from(parts[0] as string)];
  for (const part of parts.slice(1)) {
    if (!/^[0-9A-F]{2}/.test(part)) return undefined;
    bytes.push(Uint8Array.of(Number.parseInt(part.slice(0, 2), 16)), Buffer.from(part.slice(2)));
  }
  return Buffer.concat(bytes);
}

/** The longest name in a message: an error must fit a terminal whatever the tar holds. */
const MAX_SHOWN = 200;

/** Bytes in quotes, for messages; long ones are cut. */
export function showBytes(bytes: Uint8Array): string {
  const shown = escapeBytes(
    bytes.subarray(0, MAX_SHOWN),
    (byte) => byte < 0x20 || byte === 0x22 || byte === 0x7f,
  );
  return bytes.length > MAX_SHOWN ? `"${shown}…" (${bytes.length} bytes)` : `"${shown}"`;
}
