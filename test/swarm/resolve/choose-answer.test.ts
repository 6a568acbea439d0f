import fc from 'fast-check';
import type { Digest } from '../../../src/base/digest.ts';
import { digestOfBytes } from '../../../src/base/digest.ts';
import { chooseById, chooseByName } from '../../../src/swarm/resolve/choose-answer.ts';
import { checkAnswers, groupByRoot, type PeerAnswer } from '../../../src/swarm/resolve/peer-answer.ts';

const D1 = digestOfBytes(Buffer.from('one'));
const D2 = digestOfBytes(Buffer.from('two'));
const given = (peer: string, root: string, digest: Digest = D1): PeerAnswer => ({
  peer,
  answer: { digest, root, path: [], names: [], keptBlobs: [] },
});
const ranks =
  (...peers: string[]) =>
  (peer: string) => {
    const rank = peers.indexOf(peer);
    return rank === -1 ? undefined : rank;
  };
const nobody = ranks();

describe('choose by id', () => {
  it('is an error that lists both when the id begins two digests', () => {
    const digests = [D1, D2].sort();
    expect(() => chooseById('abc', [given('a', 'r1', D1), given('b', 'r2', D2)], nobody)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'ambiguous-id', fields: { id: 'abc', digests } }),
    );
  });

  it('of several roots takes the best trusted, then the one most have, then the smallest', () => {
    const answers = [given('a', 'r3'), given('b', 'r2'), given('c', 'r2'), given('d', 'r1')];
    expect(chooseById('x', answers, ranks('d', 'a'))).toMatchObject({ root: 'r1', rank: 0 });
    expect(chooseById('x', answers, ranks('a'))).toMatchObject({ root: 'r3', rank: 0 });
    expect(chooseById('x', answers, nobody)).toMatchObject({ root: 'r2', rank: undefined });
    expect(chooseById('x', [given('a', 'r9'), given('b', 'r8')], nobody)).toMatchObject({ root: 'r8' });
    expect(chooseById('x', [], nobody)).toBeUndefined();
  });

  it('counts a peer once, however often it answers', () => {
    const flood = Array.from({ length: 5 }, () => given('a', 'r9'));
    expect(chooseById('x', [...flood, given('b', 'r8'), given('c', 'r8')], nobody)).toMatchObject({
      root: 'r8',
    });
  });

  it('does not depend on the order of answers', () => {
    const answer = fc.record({
      peer: fc.constantFrom('a', 'b', 'c'),
      root: fc.constantFrom('r1', 'r2', 'r3'),
    });
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1 }), (list) => {
        const answers = list.map(({ peer, root }) => given(peer, root));
        const rank = ranks('c');
        expect(chooseById('x', answers, rank)?.root).toBe(chooseById('x', answers.toReversed(), rank)?.root);
        expect(groupByRoot(answers, rank).flatMap((group) => group.answers).length).toBe(
          new Set(list.map(({ peer, root }) => `${peer} ${root}`)).size,
        );
      }),
    );
  });
});

describe('choose by name', () => {
  const two = [given('a', 'r1', D1), given('b', 'r2', D2)];
  const rules = { rank: nobody, believeMembers: true, choice: undefined };

  it('takes the best trusted answer whatever the others say', () => {
    expect(chooseByName('app', two, { ...rules, rank: ranks('b') })).toMatchObject({ root: 'r2' });
    expect(
      chooseByName('app', two, { ...rules, believeMembers: false, rank: ranks('b', 'a') }),
    ).toMatchObject({
      root: 'r2',
    });
  });

  it('takes the peer chosen before, with whatever it says now', () => {
    const choice = { peer: 'b', root: 'r0' };
    expect(chooseByName('app', two, { ...rules, choice })).toMatchObject({ root: 'r2' });
  });

  it('outside of a private network takes the content chosen before, and nothing else of that peer', () => {
    const strict = { ...rules, believeMembers: false };
    expect(chooseByName('app', two, { ...strict, choice: { peer: 'b', root: 'r2' } })).toMatchObject({
      root: 'r2',
    });
    expect(() => chooseByName('app', two, { ...strict, choice: { peer: 'b', root: 'r0' } })).toThrow(
      expect.objectContaining({ code: 'untrusted-name' }),
    );
  });

  it('sees no conflict in two roots of one image', () => {
    expect(chooseByName('app', [given('a', 'r2'), given('b', 'r1')], rules)).toMatchObject({ root: 'r1' });
  });

  it('is an error that lists who says what when members differ', () => {
    expect(() => chooseByName('app', two, rules)).toThrow(
      expect.objectContaining({ code: 'ambiguous-name', fields: { name: 'app', answers: ['a r1', 'b r2'] } }),
    );
  });
});

describe('check answers', () => {
  const bytes = Buffer.from('{"config":1}');
  const digest = digestOfBytes(bytes);
  const question = { kind: 'id', prefix: digest.slice(7, 19) } as const;
  const answer = { digest, root: 'r', path: [], names: [], keptBlobs: [], proof: bytes };

  it('keeps an answer whose bytes hash to its digest, and lets the bytes go', () => {
    const [kept] = checkAnswers('a', question, [answer]);
    expect(kept?.answer).toEqual({ digest, root: 'r', path: [], names: [], keptBlobs: [] });
  });

  it('drops one with other bytes, none, or another id', () => {
    const { proof: _none, ...bare } = answer;
    expect(checkAnswers('a', question, [{ ...answer, proof: Buffer.from('{}') }, bare])).toEqual([]);
    expect(checkAnswers('a', { kind: 'id', prefix: 'ffffff' }, [answer])).toEqual([]);
  });
});
