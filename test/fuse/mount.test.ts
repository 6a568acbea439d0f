import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { lstat, open, readdir, readFile, statfs } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createDeviceChannel } from '../../src/fuse/device-channel.ts';
import { notifyResend } from '../../src/fuse/resend.ts';
import { requirement } from '../support/requirement.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { BIG_DIRECTORY, BIG_FILE, contractTree, pattern, type TreeEntry } from './contract-tree.ts';
import { HAS_SYSCALL_NUMBERS, perl } from './mount-view.ts';
import { canMount, type MountedMemory, type MountOptions, mountMemory } from './mounted-memory.ts';

const SLOW: TreeEntry = { path: 'slow', kind: 'file', content: pattern(100_000), waits: true };

if (requirement('a FUSE mount', canMount() && HAS_SYSCALL_NUMBERS, 'needs root, FUSE and x86-64')) {
  describe('a FUSE mount', () => {
    let mounted: MountedMemory;
    const readers: ChildProcess[] = [];
    const mount = async (options: MountOptions = {}, more: readonly TreeEntry[] = []) => {
      mounted = await mountMemory([...contractTree(), SLOW, ...more], options);
      return mounted;
    };
    const at = (name: string) => join(mounted.path, name);
    const reader = (...args: string[]) => {
      const child = spawn('dd', [`if=${at('slow')}`, 'bs=65536', 'iflag=fullblock', ...args], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      readers.push(child);
      return child;
    };
    afterEach(async () => {
      for (const child of readers.splice(0)) child.kill('SIGKILL');
      await mounted[Symbol.asyncDispose]();
    });

    it('asks for attributes and look-ups of a listing in one READDIRPLUS, and for no OPENDIR twice', async () => {
      await mount();
      const names = await readdir(at('many'));
      const asked = mounted.count('LOOKUP');
      for (const name of names.slice(0, 100)) await lstat(join(at('many'), name));
      expect(mounted.count('LOOKUP')).toBe(asked);
      expect(mounted.count('GETATTR')).toBeLessThan(10);
      await readdir(at('many'));
      await readdir(at('sticky'));
      expect(mounted.count('OPENDIR')).toBe(1);
      expect(mounted.count('RELEASEDIR')).toBe(0);
    });

    it('remembers listings, attributes, links, absent names and content', async () => {
      await mount();
      const look = async () => {
        await readdir(at(''));
        await lstat(at('plain'));
        await lstat(at('absent')).catch(() => {});
        await readFile(at('big'));
        execFileSync('readlink', [at('link')]);
      };
      await look();
      // What the kernel reads ahead by itself may still be on its way when the reader has all; not after another look.
      await look();
      const names = ['LOOKUP', 'GETATTR', 'READDIR', 'READDIRPLUS', 'READLINK', 'READ'] as const;
      const before = names.map((name) => mounted.count(name));
      await look();
      expect(names.map((name) => mounted.count(name))).toEqual(before);
    });

    it('reads up to 1 MiB at once', async () => {
      await mount();
      await using file = await open(at('big'), 'r');
      const bytes = Buffer.alloc(BIG_FILE);
      // dd's buffer is aligned, so with O_DIRECT one read(2) is one READ
      execFileSync('dd', [`if=${at('big')}`, 'of=/dev/null', 'bs=1M', 'count=1', 'iflag=direct'], {
        stdio: 'ignore',
      });
      expect(mounted.count('READ')).toBe(1);
      await file.read(bytes);
      expect(Buffer.compare(bytes, pattern(BIG_FILE))).toBe(0);
    });

    it('goes on from where telldir was, at any time', async () => {
      await mount();
      const script =
        'opendir(D, $ARGV[0]) or die; $p = 0; for ($i = 0; $i < 7000; $i++) { readdir D; ' +
        '$p = telldir D if $i == 4000 } $_ = 1; seekdir(D, $p); $a = readdir D; rewinddir D; ' +
        '$n = 0; while (defined($e = readdir D)) { $n++; $b = $e if $n == 4002 } print "$n ", $a eq $b ? 1 : 0';
      expect(await perl(script, at('many'))).toBe(`${BIG_DIRECTORY + 2} 1`);
    });

    it('gives what statfs shows', async () => {
      await mount();
      const { bsize, blocks, bfree, files, ffree } = await statfs(mounted.path);
      expect({ bsize, blocks, bfree, ffree }).toEqual({ bsize: 4096, blocks: 1000, bfree: 0, ffree: 0 });
      expect(files).toBeGreaterThan(BIG_DIRECTORY);
    });

    it('counts a STATX for a birth time, which it has not', async () => {
      await mount();
      const birth = execFileSync('stat', ['-c', '%w %s', at('big')]).toString();
      expect(birth).toBe(`- ${BIG_FILE}\n`);
    });

    it('answers a waiting read from another thread', async () => {
      await mount();
      const child = reader('count=1');
      const chunks: Buffer[] = [];
      child.stdout!.on('data', (chunk) => chunks.push(chunk));
      const ended = once(child, 'close');
      const answer = async () => {
        const { high, low, offset, size } = await mounted.next('waiting');
        mounted.replies.bytes({ high, low }, pattern(100_000).subarray(offset, offset + size));
        void answer();
      };
      void answer();
      expect((await ended)[0]).toBe(0);
      expect(Buffer.compare(Buffer.concat(chunks), pattern(65_536))).toBe(0);
    });

    it('gives a reader the errno of a waiting read', async () => {
      await mount();
      const child = reader('count=1');
      const ended = once(child, 'close');
      const refuse = async () => {
        mounted.replies.error(await mounted.next('waiting'), constants.errno.EIO);
        void refuse();
      };
      void refuse();
      expect((await ended)[0]).toBe(1);
    });

    it.each(['SIGTERM', 'SIGKILL'] as const)('lets %s end a reader that waits', async (signal) => {
      await mount();
      const child = reader('count=1', 'iflag=direct,fullblock');
      const ended = once(child, 'close');
      const waiting = await mounted.next('waiting');
      child.kill(signal);
      const interrupted = await mounted.next('interrupted');
      expect([interrupted.high, interrupted.low]).toEqual([waiting.high, waiting.low]);
      mounted.replies.error(waiting, constants.errno.EINTR);
      expect((await ended)[1]).toBe(signal);
      // the answer to what nobody waits for is dropped
      mounted.replies.error(waiting, constants.errno.EINTR);
    });

    it('is served on while reads wait', async () => {
      await mount();
      for (let n = 0; n < 8; n++) reader(`skip=${n % 2}`);
      await mounted.next('waiting');
      expect((await readFile(at('plain'))).toString()).toBe('hello\n');
      expect((await readdir(at('many'))).length).toBe(BIG_DIRECTORY);
    });

    it('hands what one server left unanswered to the next', async () => {
      await mount({ stopWhenWaiting: true });
      const { terms } = await mounted.next('terms');
      const child = reader('count=1');
      const chunks: Buffer[] = [];
      child.stdout!.on('data', (chunk) => chunks.push(chunk));
      const ended = once(child, 'close');
      const first = await mounted.next('waiting');
      expect((await mounted.next('end')).end).toBe('stopped');
      expect(terms.resend).toBe(true);
      mounted.serveAgain(terms);
      notifyResend(createDeviceChannel(mounted.device));
      const again = await mounted.next('waiting');
      expect([again.high, again.low, again.offset]).toEqual([first.high + 2 ** 31, first.low, first.offset]);
      mounted.replies.bytes(again, pattern(100_000).subarray(again.offset, again.offset + again.size));
      const answer = async () => {
        const { high, low, offset, size } = await mounted.next('waiting');
        mounted.replies.bytes({ high, low }, pattern(100_000).subarray(offset, offset + size));
        void answer();
      };
      void answer();
      expect((await ended)[0]).toBe(0);
      expect(Buffer.compare(Buffer.concat(chunks), pattern(65_536))).toBe(0);
      expect((await readFile(at('plain'))).toString()).toBe('hello\n');
    });

    it('can be unmounted under an open file, which stays readable until it is closed', async () => {
      await mount();
      const file = await open(at('big'));
      mounted.unmount();
      expect((await lstat(at('plain'))).isFile()).toBe(true);
      mounted.unmount(true);
      await expect(lstat(at('plain'))).rejects.toMatchObject({ code: 'ENOENT' });
      const { bytesRead } = await file.read(Buffer.alloc(10), 0, 10, 1_000_000);
      expect(bytesRead).toBe(10);
      await file.close();
      expect((await mounted.next('end')).end).toBe('ended');
    });

    it('lets the kernel read a backing file itself', async () => {
      using folder = tempFolder('backing');
      const backing = join(folder.path, 'content');
      writeFileSync(backing, pattern(BIG_FILE));
      const entry: TreeEntry = { path: 'backed', kind: 'file', size: BIG_FILE, backing };
      await mount({ passthrough: true }, [entry]);
      const { terms } = await mounted.next('terms');
      expect(terms.passthrough).toBe(true);
      expect(Buffer.compare(await readFile(at('backed')), pattern(BIG_FILE))).toBe(0);
      expect(mounted.count('READ')).toBe(0);
      expect(mounted.count('OPEN')).toBe(1);
    });

    it('honours what an overlay on top asks for: ACLs, capabilities, device nodes', async () => {
      using folder = tempFolder('overlay');
      // user 1000 may read, nobody else: version 2, user::rwx user:1000:r-- group::--- mask::r-- other::---
      const acl = Buffer.from(
        '0200000001000700ffffffff02000400e803000004000000ffffffff10000400ffffffff20000000ffffffff',
        'hex',
      );
      const entry: TreeEntry = {
        path: 'shared',
        kind: 'file',
        mode: 0o740,
        content: Buffer.from('by acl'),
        xattrs: { 'system.posix_acl_access': acl },
      };
      await mount({}, [entry]);
      const [top, empty] = [join(folder.path, 'top'), join(folder.path, 'empty')];
      for (const path of [top, empty]) mkdirSync(path);
      const options = `lowerdir=${mounted.path}:${empty},metacopy=off,redirect_dir=off,index=off`;
      execFileSync('mount', ['-t', 'overlay', '-o', options, 'shp-test', top]);
      try {
        const as = (id: number) =>
          perl(
            `$) = "${id} ${id}"; $> = ${id}; print sysopen(F, $ARGV[0], 0) ? <F> : $!+0`,
            join(top, 'shared'),
          );
        chmodSync(folder.path, 0o755);
        expect(await as(1000)).toBe('by acl');
        expect(await as(1001)).toBe(String(constants.errno.EACCES));
        expect(await perl('print -c $ARGV[0] ? 1 : 0', join(top, 'null'))).toBe('1');
        expect(
          execFileSync('getfattr', [
            '-n',
            'security.capability',
            '--absolute-names',
            join(top, 'attributed'),
          ]).toString(),
        ).toContain('security.capability=');
      } finally {
        execFileSync('umount', ['-l', top]);
      }
    });

    /** What pjdfstest expects of a read-only filesystem. Number 188 is setxattr, 197 removexattr, 285 fallocate. */
    const WRITES: readonly (readonly [string, string])[] = [
      ['open O_WRONLY', 'sysopen(F, "plain", 1)'],
      ['open O_RDWR', 'sysopen(F, "plain", 2)'],
      ['open O_RDONLY|O_TRUNC', 'sysopen(F, "plain", 512)'],
      ['open O_CREAT', 'sysopen(F, "new", 64)'],
      ['open O_CREAT|O_EXCL|O_WRONLY', 'sysopen(F, "new", 193)'],
      ['open O_TMPFILE', 'sysopen(F, ".", 4259842, 0600)'],
      ['mkdir', 'mkdir("new")'],
      ['mkfifo', '!syscall(133, $new, 010644, 0)'],
      ['mknod', '!syscall(133, $new, 020644, 259)'],
      ['link', 'link("plain", "new")'],
      ['symlink', 'symlink("plain", "new")'],
      ['rename', 'rename("plain", "new")'],
      ['rename of a directory', 'rename("deep", "new")'],
      ['renameat2 RENAME_EXCHANGE', '!syscall(316, -100, $plain, -100, $big, 2)'],
      ['unlink', 'unlink("plain")'],
      ['rmdir', 'rmdir("sticky")'],
      ['chmod', 'chmod(0600, "plain")'],
      ['chown', 'chown(1, 1, "plain")'],
      ['lchown', '!syscall(94, $link, 1, 1)'],
      ['truncate', '!syscall(76, $plain, 0)'],
      ['utimes', 'utime(1, 1, "plain")'],
      ['setxattr', '!syscall(188, $plain, $a, $b, 1, 0)'],
      ['removexattr', '!syscall(197, $attributed, $text)'],
      ['access W_OK', '!syscall(21, $plain, 2)'],
    ];
    /** syscall() takes no constants. */
    const NAMES =
      '($new, $plain, $big, $link, $attributed, $a, $b, $text) = ' +
      'qw(new plain big link attributed user.a b user.text);';
    const attempt = (call: string) =>
      perl(`chdir $ARGV[0] or die; ${NAMES} $ok = ${call}; print $ok ? "done" : $!+0`, mounted.path);

    it('refuses every write with EROFS, and lets files be read and directories opened', async () => {
      await mount();
      for (const [name, call] of WRITES)
        expect([name, await attempt(call)]).toEqual([name, String(constants.errno.EROFS)]);
      expect(await attempt('sysopen(F, "plain", 0)')).toBe('done');
      expect(await attempt('opendir(D, "deep")')).toBe('done');
      expect(await attempt('sysopen(F, "plain", 0) && !syscall(74, fileno(F))')).toBe('done');
    });

    it('refuses them by itself, too, where the kernel thinks it could write', async () => {
      await mount({ writable: true });
      for (const [name, call] of WRITES.filter(([each]) => !each.startsWith('access')))
        expect([name, await attempt(call)]).toEqual([name, String(constants.errno.EROFS)]);
      expect(mounted.count('SETATTR') + mounted.count('MKDIR') + mounted.count('CREATE')).toBeGreaterThan(5);
    });

    it.each([
      ['mkdir of what is there', 'mkdir("plain")', 'EEXIST'],
      ['unlink of what is not', 'unlink("absent")', 'ENOENT'],
      ['open below a file', 'sysopen(F, "plain/x", 0)', 'ENOTDIR'],
      ['a name of 256 bytes', 'sysopen(F, "x" x 256, 0)', 'ENAMETOOLONG'],
    ] as const)('says of %s what any filesystem says', async (_, call, code) => {
      await mount();
      expect(await attempt(call)).toBe(String(constants.errno[code]));
    });

    it('forbids by the modes that it shows (default_permissions)', async () => {
      await mount();
      const script = '$) = "1000 1000"; $> = 1000;';
      expect(
        await perl(`chdir $ARGV[0]; ${script} print sysopen(F, "empty", 0) ? "done" : $!+0`, at('')),
      ).toBe(String(constants.errno.EACCES));
    });
  });
}
