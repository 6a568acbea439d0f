import fc from 'fast-check';
import type { Member } from './tar-entries.ts';

/** Few names, so that duplicates, links to what is there and whiteouts of it are common. */
const name = fc.constantFrom('a', 'b', 'c', 'd');
const odd = fc.constantFrom('.', '..', '', '.wh.a', '.wh.b', '.wh..wh..opq', '.wh..wh.plnk', 'b.', '.wh.');
const part = fc.oneof({ weight: 12, arbitrary: name }, { weight: 1, arbitrary: odd });
const path = fc
  .tuple(fc.constantFrom('', '', '', './', '/'), fc.array(part, { minLength: 1, maxLength: 4 }))
  .map(([prefix, parts]) => `${prefix}${parts.join('/')}`);
const whiteout = fc
  .tuple(fc.array(name, { maxLength: 3 }), fc.constantFrom('.wh.a', '.wh.b', '.wh.c', '.wh..wh..opq'))
  .map(([parts, last]) => [...parts, last].join('/'));
const target = fc
  .tuple(
    fc.constantFrom('', '', '/', '../', '../../'),
    fc.array(fc.oneof(name, name, fc.constant('..')), { maxLength: 3 }),
  )
  .map(([prefix, parts]) => `${prefix}${parts.join('/')}` || 'a');
const attributes = {
  mode: fc.constantFrom(0o644, 0o755, 0o4711),
  uid: fc.constantFrom(0, 1000),
  mtime: fc.constantFrom(0, 1, -1, 1_700_000_000, 2 ** 40),
  xattrs: fc.constantFrom<Record<string, string>>(
    {},
    {},
    { 'user.x': '1' },
    { 'security.capability': 'c', 'user.y': '' },
  ),
};

export const CONTENTS = ['', 'one', 'two', 'three'];

export const randomMember: fc.Arbitrary<Member> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('file' as const),
      path,
      content: fc.constantFrom(...CONTENTS),
      ...attributes,
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('directory' as const), path, ...attributes }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('symlink' as const), path, link: target, ...attributes }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('hardlink' as const), path, link: target, ...attributes }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('file' as const), path: whiteout, content: fc.constant('') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('chardev' as const, 'blockdev' as const),
      path,
      device: fc.tuple(fc.nat(3), fc.nat(3)),
      ...attributes,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('fifo' as const), path, ...attributes }) },
);

export const randomTar = fc.array(randomMember, { maxLength: 14 });
