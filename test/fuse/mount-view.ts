import { execFile } from 'node:child_process';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { FilesystemView } from './filesystem-contract.ts';

const run = promisify(execFile);

/** perl knows every call that Node has not, and is on each Debian. Prints an errno's number, or `ok` and a value. */
export async function perl(script: string, ...args: (string | Buffer)[]): Promise<string> {
  const hex = args.map((arg) => Buffer.from(arg as string).toString('hex'));
  const { stdout } = await run('perl', ['-e', `@ARGV = map { pack 'H*', $_ } @ARGV; ${script}`, ...hex], {
    env: { LC_ALL: 'C' },
  });
  return stdout;
}

/** What a mounted tree looks like through the calls that programs make. */
export function openMountView(mountpoint: string, close: () => Promise<void>): FilesystemView {
  const at = (path: string) => Buffer.concat([Buffer.from(`${mountpoint}/`), Buffer.from(path, 'latin1')]);
  return {
    stat: async (path) => {
      const seen = await lstat(at(path), { bigint: true });
      return {
        inode: Number(seen.ino),
        size: Number(seen.size),
        mode: Number(seen.mode),
        nlink: Number(seen.nlink),
        uid: Number(seen.uid),
        gid: Number(seen.gid),
        mtime: Number((seen.mtimeNs - (((seen.mtimeNs % NANOS) + NANOS) % NANOS)) / NANOS),
        mtimeNanos: Number(((seen.mtimeNs % NANOS) + NANOS) % NANOS),
        device: deviceOf(seen.rdev),
      };
    },
    list: async (path) =>
      (await readdir(at(path), { encoding: 'buffer' })).map((name) => name.toString('latin1')),
    read: async (path, offset, size) => {
      await using file = await open(at(path));
      const { bytesRead, buffer } = await file.read(Buffer.alloc(size), 0, size, offset);
      return buffer.subarray(0, bytesRead);
    },
    link: async (path) => (await readlink(at(path), { encoding: 'buffer' })).toString('latin1'),
    xattr: async (path, name) => {
      const answer = await perl(
        '$v = "\\0" x 65536; $n = syscall(192, $ARGV[0], $ARGV[1], $v, 65536);' +
          'print $n < 0 ? "errno ".($!+0) : unpack("H*", substr($v, 0, $n))',
        at(path),
        name,
      );
      return Buffer.from(checked(answer), 'hex');
    },
    xattrNames: async (path) => {
      const { stdout } = await run('getfattr', ['--absolute-names', '-h', '-m', '-', at(path).toString()]);
      return stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    },
    seek: async (path, offset, to) =>
      Number(
        checked(
          await perl(
            'sysopen(F, $ARGV[0], 0) or die; $r = syscall(8, fileno(F), $ARGV[1]+0, $ARGV[2]+0);' +
              'print $r < 0 ? "errno ".($!+0) : $r',
            at(path),
            String(offset),
            to === 'data' ? '3' : '4',
          ),
        ),
      ),
    [Symbol.asyncDispose]: close,
  };
}

const NANOS = 1_000_000_000n;
/** getxattr and lseek by number above are x86-64's; the tests that need them look here. */
export const HAS_SYSCALL_NUMBERS = process.arch === 'x64';

function deviceOf(rdev: bigint): [number, number] {
  const low = Number(rdev & 0xffff_ffffn);
  return [(low >>> 8) & 0xfff, (low & 0xff) | ((low >>> 12) & 0xfff00)];
}

function checked(answer: string): string {
  const errno = /^errno (\d+)$/.exec(answer)?.[1];
  if (errno === undefined) return answer;
  throw Object.assign(new Error(answer), { code: ERRNO[errno] ?? answer });
}

const ERRNO: Readonly<Record<string, string>> = { 2: 'ENOENT', 6: 'ENXIO', 34: 'ERANGE', 61: 'ENODATA' };
