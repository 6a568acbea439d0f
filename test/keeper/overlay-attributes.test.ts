import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { directory, file } from '../support/layer-tar.ts';
import { type MountedRoot, mountedRoot } from './support/mounted-root.ts';

/** linux/posix_acl_xattr.h: version 2; owner rwx, user 12345 r-x, group --x, mask r-x, others --x. */
const ACL = Buffer.from(
  '02000000' +
    '01000700ffffffff' +
    '0200050039300000' +
    '04000100ffffffff' +
    '10000500ffffffff' +
    '20000100ffffffff',
  'hex',
);
const LAYERS = [
  [
    directory('./', {
      mode: 0o1751,
      uid: 5,
      gid: 6,
      mtime: 1_500_000_000,
      xattrs: {
        'user.note': 'of the root',
        'system.posix_acl_access': ACL,
        'trusted.overlay.opaque': 'y',
        'trusted.overlay.origin': 'x',
      },
    }),
    file('secret', 'another file\n'),
    // What overlayfs would take for a copy of the metadata alone, with its content elsewhere.
    file('redirected', 'its own\n', {
      xattrs: {
        'trusted.overlay.metacopy': '',
        'trusted.overlay.redirect': '/secret',
        'trusted.overlay.overlay.opaque': 'nested',
      },
    }),
    directory('moved', { xattrs: { 'trusted.overlay.redirect': '/other', 'trusted.overlay.opaque': 'y' } }),
    file('moved/here', 'stays\n'),
    directory('other'),
    file('other/there', 'elsewhere\n'),
  ],
];

let held: MountedRoot;
beforeAll(async () => {
  held = await mountedRoot(LAYERS);
  await held.start();
});
afterAll(() => held[Symbol.asyncDispose]());

/** By name; hex of the values. */
function xattrsOf(path: string): Record<string, string> {
  const text = execFileSync('getfattr', ['-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', path], {
    encoding: 'utf8',
  });
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => line.split('=0x') as [string, string]),
  );
}
const hex = (text: string): string => Buffer.from(text).toString('hex');

const REDIRECTED = {
  'trusted.overlay.metacopy': '',
  'trusted.overlay.redirect': hex('/secret'),
  'trusted.overlay.overlay.opaque': hex('nested'),
};

describe.each([
  ['read-only', false],
  ['writable', true],
])('overlayfs attributes that a layer brings, in a %s mount', (name, writable) => {
  let target: string;
  beforeAll(async () => {
    target = held.folder(name);
    await held.mount(target, { writable });
  });
  afterAll(() => held.unmount(target));

  it('do nothing', () => {
    expect(readFileSync(join(target, 'redirected'), 'utf8')).toBe('its own\n');
    expect(readdirSync(join(target, 'moved'))).toEqual(['here']);
    expect(readFileSync(join(target, 'moved/here'), 'utf8')).toBe('stays\n');
  });

  it('are shown as the layer has them', () => {
    // An older kernel hides them.
    const seen = xattrsOf(join(target, 'redirected'));
    if (Object.keys(seen).length > 0) expect(seen).toEqual(REDIRECTED);
    expect(xattrsOf(target)).toMatchObject({ 'user.note': hex('of the root') });
  });

  it("leave the root with the image's mode, owner, time and access list", () => {
    const { mode, uid, gid, mtimeMs } = statSync(target);
    expect([(mode & 0o7777).toString(8), uid, gid, mtimeMs]).toEqual(['1751', 5, 6, 1_500_000_000_000]);
    expect(execFileSync('getfacl', ['-n', '-p', target], { encoding: 'utf8' })).toContain('user:12345:r-x');
  });
});

it('do nothing in a file that was copied up either', async () => {
  const target = held.folder('copied');
  const { upper = '' } = await held.mount(target, { writable: true });
  chownSync(join(target, 'redirected'), 7, 7);
  writeFileSync(join(target, 'moved/new'), 'new\n');
  expect(readFileSync(join(target, 'redirected'), 'utf8')).toBe('its own\n');
  expect(readFileSync(join(upper, 'redirected'), 'utf8')).toBe('its own\n');
  expect(readdirSync(join(target, 'moved')).sort()).toEqual(['here', 'new']);
  await held.unmount(target);
});
