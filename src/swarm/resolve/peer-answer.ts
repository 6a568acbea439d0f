import { digestHex, digestOfBytes } from '../../base/digest.ts';
import type { ResolveAnswer, ResolveQuestion } from './resolve-codec.ts';

/** An answer and who gave it; its proof was checked and let go. */
export interface PeerAnswer {
  readonly peer: string;
  readonly answer: ResolveAnswer;
}

/** Position in the order of trust, 0 first; `undefined`: not trusted explicitly. */
export type TrustRank = (peer: string) => number | undefined;

/** The answers of a peer that are true as far as they can be checked: an id's bytes must hash to it. */
export function checkAnswers(
  peer: string,
  question: ResolveQuestion,
  answers: readonly ResolveAnswer[],
): PeerAnswer[] {
  return answers
    .filter(({ digest, proof }) => {
      if (question.kind === 'name') return true;
      return (
        proof !== undefined &&
        digestHex(digest).startsWith(question.prefix) &&
        digestOfBytes(proof) === digest
      );
    })
    .map(({ proof: _checked, ...answer }) => ({ peer, answer }));
}

/** Answers of one root, best first. */
export interface RootAnswers {
  readonly root: string;
  readonly answers: readonly PeerAnswer[];
  /** Of the best trusted peer among them. */
  readonly rank: number | undefined;
}

/** By root; trusted ones first, then those with most providers, then the smallest CID. */
export function groupByRoot(answers: readonly PeerAnswer[], rank: TrustRank): RootAnswers[] {
  const order = (peer: string) => rank(peer) ?? Number.POSITIVE_INFINITY;
  const byRoot = Map.groupBy(answers, ({ answer }) => answer.root);
  const groups = [...byRoot].map(([root, members]) => {
    const byPeer = [...new Map(members.map((member) => [member.peer, member])).values()];
    byPeer.sort((a, b) => compare(order(a.peer), order(b.peer)));
    return { root, answers: byPeer, rank: rank(byPeer[0]?.peer ?? '') };
  });
  const score = (group: RootAnswers) => group.rank ?? Number.POSITIVE_INFINITY;
  return groups.sort(
    (a, b) =>
      compare(score(a), score(b)) || b.answers.length - a.answers.length || (a.root < b.root ? -1 : 1),
  );
}

function compare(a: number, b: number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
