import fc from 'fast-check';
import { type Message, type MessageType, WANT_CLASSES } from '../../../src/swarm/lanes/messages.ts';

const id = fc.nat(2 ** 40);
const ids = fc.array(id, { maxLength: 40 });
const cid = fc.uint8Array({ minLength: 1, maxLength: 64 });
const wantClass = fc.constantFrom(...WANT_CLASSES);
const name = fc.string({ unit: 'grapheme', maxLength: 30 });

const group = fc
  .array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 })
  .map((blocks) => ({ lengths: blocks.map((block) => block.length), payload: Buffer.concat(blocks) }));

const runs = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { maxLength: 20 }).map((gaps) => {
  const flat: number[] = [];
  let at = 0;
  for (const [gap, length] of gaps) {
    flat.push(at + gap, length);
    at += gap + length;
  }
  return flat;
});

const of = <T extends MessageType>(type: T, fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ type: fc.constant(type), ...fields }) as unknown as fc.Arbitrary<Message>;

/** Any valid message of each type, for the table's tests. */
export const SAMPLES: Readonly<Record<MessageType, fc.Arbitrary<Message>>> = {
  hello: of('hello', { version: fc.nat(1000), features: fc.nat() }),
  ping: of('ping', { nonce: id }),
  pong: of('pong', { nonce: id }),
  credit: of('credit', { limit: fc.maxSafeNat() }),
  want: fc
    .record({
      firstId: id,
      wantClass,
      level: fc.nat(19),
      blocks: fc.array(
        fc.tuple(fc.constantFrom(0x55, 0x70), fc.uint8Array({ minLength: 32, maxLength: 32 })),
        {
          maxLength: 20,
        },
      ),
    })
    .map(({ blocks, ...rest }) => ({
      type: 'want' as const,
      ...rest,
      codecs: Uint8Array.from(blocks, ([codec]) => codec),
      digests: new Uint8Array(Buffer.concat(blocks.map(([, digest]) => digest))),
    })),
  cancel: of('cancel', { ids }),
  reclass: of('reclass', { wantClass, ids }),
  blocks: group.chain(({ lengths, payload }) =>
    fc.array(id, { minLength: lengths.length, maxLength: lengths.length }).map((blockIds) => ({
      type: 'blocks' as const,
      ids: blockIds,
      lengths,
      zstd: false,
      payload,
    })),
  ),
  missing: of('missing', { ids }),
  tree: of('tree', {
    id,
    root: cid,
    path: fc.array(name, { maxLength: 5 }),
    platform: fc.constantFrom('linux/amd64', 'linux/arm/v7', 'all'),
    level: fc.nat(19),
    have: fc.array(cid, { maxLength: 5 }),
  }),
  'tree-blocks': group.chain(({ lengths, payload }) =>
    fc
      .tuple(id, fc.array(cid, { minLength: lengths.length, maxLength: lengths.length }))
      .map(([treeId, cids]) => ({
        type: 'tree-blocks' as const,
        id: treeId,
        cids,
        lengths,
        zstd: false,
        payload,
      })),
  ),
  'tree-end': of('tree-end', { id }),
  'tree-missing': of('tree-missing', { id, cid, code: fc.constant('no-block'), text: name }),
  'tree-cancel': of('tree-cancel', { id }),
  follow: of('follow', { root: cid }),
  unfollow: of('unfollow', { root: cid }),
  have: of('have', {
    root: cid,
    holding: fc.oneof(fc.constant('all'), fc.constant('none'), fc.uint8Array({ maxLength: 300 })),
  }),
  'have-delta': of('have-delta', { root: cid, runs }),
  error: of('error', { code: fc.constant('lane-violation'), text: name }),
};
