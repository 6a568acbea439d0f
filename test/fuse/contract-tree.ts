/** One entry of a tree that tests build a filesystem from. Texts hold one byte a character (latin1). */
export interface TreeEntry {
  /** From the root, without a leading slash; parents come first. */
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'symlink' | 'chardev' | 'blockdev' | 'fifo' | 'hardlink';
  /** Without the type's bits. 0755 where absent; owner root, one fixed time. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly mtimeNanos?: number;
  readonly content?: Uint8Array;
  /** Of a file whose content is never read to the end. */
  readonly size?: number;
  /** Where data is, `[from, end)`; all of it where absent. */
  readonly extents?: readonly (readonly [number, number])[];
  /** Of a symlink its text, of a hard link the path of an earlier entry. */
  readonly target?: string;
  readonly device?: readonly [number, number];
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
  /** Its reads wait until somebody answers them. */
  readonly waits?: boolean;
  /** A file on disk that the kernel shall read itself. */
  readonly backing?: string;
}

export const BIG_DIRECTORY = 10_000;
export const BIG_FILE = 5 * 1024 * 1024 + 123;

const { imul } = Math;

/** Bytes that say where they are, so that a read from the wrong place shows. */
export function pattern(size: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let n = 0; n < words.length; n++) words[n] = imul(n, 2_654_435_761);
  return new Uint8Array(words.buffer, 0, size);
}

const text = (value: string) => Buffer.from(value, 'latin1');

/** Every kind of entry and every oddity of names, times, owners and sizes that a layer can have. */
export function contractTree(): TreeEntry[] {
  return [
    { path: '', kind: 'directory', mode: 0o755, mtime: 1_500_000_000, mtimeNanos: 7 },
    {
      path: 'plain',
      kind: 'file',
      mode: 0o644,
      uid: 1000,
      gid: 1001,
      mtimeNanos: 999_999_999,
      content: text('hello\n'),
    },
    { path: 'empty', kind: 'file', mode: 0, content: text('') },
    { path: 'suid', kind: 'file', mode: 0o6755, content: text('#!') },
    { path: 'before-1970', kind: 'file', mtime: -12_345, mtimeNanos: 5, content: text('x') },
    { path: 'after-2106', kind: 'file', mtime: 5_000_000_000, content: text('x') },
    { path: 'big-owner', kind: 'file', uid: 4_000_000_000, gid: 3_999_999_999, content: text('x') },
    { path: 'linked', kind: 'hardlink', target: 'plain' },
    { path: 'sticky', kind: 'directory', mode: 0o1777 },
    { path: 'setgid', kind: 'directory', mode: 0o2775, gid: 8 },
    { path: 'link', kind: 'symlink', mode: 0o777, target: 'plain' },
    { path: 'dangling', kind: 'symlink', mode: 0o777, target: '../no/such' },
    { path: 'long-link', kind: 'symlink', mode: 0o777, target: 'a/'.repeat(2000) },
    { path: 'null', kind: 'chardev', mode: 0o666, device: [1, 3] },
    { path: 'wide', kind: 'chardev', mode: 0o600, device: [4095, 1_048_575] },
    { path: 'disk', kind: 'blockdev', mode: 0o660, gid: 6, device: [8, 17] },
    { path: 'pipe', kind: 'fifo', mode: 0o644 },
    { path: `n${'\xff\xfe'}\x01\n`, kind: 'file', content: text('not utf-8') },
    { path: 'l'.repeat(255), kind: 'file', content: text('long name') },
    { path: ' -rf *', kind: 'file', content: text('odd name') },
    { path: 'big', kind: 'file', mode: 0o444, content: pattern(BIG_FILE) },
    {
      path: 'sparse',
      kind: 'file',
      content: pattern(300_000),
      extents: [
        [0, 4096],
        [131_072, 200_000],
      ],
    },
    { path: 'huge', kind: 'file', size: 2 ** 50, content: text('only the beginning') },
    {
      path: 'attributed',
      kind: 'file',
      content: text('x'),
      xattrs: {
        'user.text': text('value'),
        'user.binary': Uint8Array.of(0, 1, 255, 0),
        'user.none': text(''),
        'user.large': pattern(60_000),
        'trusted.secret': text('for root'),
        'security.capability': Buffer.from('0100000200040000000000000000000000000000', 'hex'),
      },
    },
    { path: 'deep', kind: 'directory' },
    ...Array.from(
      { length: 30 },
      (_, n): TreeEntry => ({ path: `deep${'/d'.repeat(n + 1)}`, kind: 'directory' }),
    ),
    { path: 'many', kind: 'directory', mtimeNanos: 1 },
    ...Array.from(
      { length: BIG_DIRECTORY },
      (_, n): TreeEntry => ({
        path: `many/entry-number-${String(n).padStart(5, '0')}`,
        kind: n % 10 === 0 ? 'directory' : 'file',
      }),
    ),
  ];
}
