import { Fault } from '../../base/fault.ts';
import { groupByRoot, type PeerAnswer, type RootAnswers, type TrustRank } from './peer-answer.ts';

/** What a user decided with `--from` for a name: that peer's answer, which was this root then. */
export interface NameChoice {
  readonly peer: string;
  readonly root: string;
}

export interface NameRules {
  readonly rank: TrustRank;
  /** On a private network any member's names are believed. */
  readonly believeMembers: boolean;
  readonly choice: NameChoice | undefined;
}

/**
 * The root that an id stands for. One digest with several roots is no conflict.
 * @throws Fault `invalid/ambiguous-id` (fields: id, digests)
 */
export function chooseById(
  prefix: string,
  answers: readonly PeerAnswer[],
  rank: TrustRank,
): RootAnswers | undefined {
  const digests = [...new Set(answers.map(({ answer }) => answer.digest))].sort();
  if (digests.length > 1) throw ambiguousId(prefix, digests);
  return groupByRoot(answers, rank)[0];
}

export function ambiguousId(prefix: string, digests: readonly string[]): Fault {
  return new Fault(
    'invalid',
    'ambiguous-id',
    `${prefix} is the beginning of ${digests.length} images; give more digits: ${digests.join(', ')}`,
    { fields: { id: prefix, digests } },
  );
}

/**
 * The root that a name stands for: the best trusted peer's answer; else any member's, where members are believed and
 * agree.
 * @throws Fault `invalid/ambiguous-name` (fields: name, answers), `denied/untrusted-name` (fields: name, answers)
 */
export function chooseByName(
  name: string,
  answers: readonly PeerAnswer[],
  rules: NameRules,
): RootAnswers | undefined {
  const groups = groupByRoot(answers, rules.rank);
  const [best, ...others] = groups;
  if (best === undefined || best.rank !== undefined) return best;
  const { choice } = rules;
  const chosen = groups.find(({ root }) => root === choice?.root);
  const offers = groups.flatMap(({ root, answers }) => answers.map(({ peer }) => `${peer} ${root}`));
  if (!rules.believeMembers) {
    // Only the very content that the user took then: the peer may have given the name to another since.
    if (chosen !== undefined) return chosen;
    throw untrustedName(name, offers);
  }
  const digests = new Set(groups.map((group) => group.answers[0]?.answer.digest));
  if (others.length === 0 || digests.size === 1) return best;
  const byChoice = groups.find((group) => group.answers.some(({ peer }) => peer === choice?.peer)) ?? chosen;
  if (byChoice !== undefined) return byChoice;
  throw new Fault(
    'invalid',
    'ambiguous-name',
    `stations give ${name} to different images: ${offers.join(', ')}; choose with --from <peer>, or trust one: dkr-shp trust add <peer>`,
    { fields: { name, answers: offers } },
  );
}

function untrustedName(name: string, offers: readonly string[]): Fault {
  return new Fault(
    'denied',
    'untrusted-name',
    `only stations you do not trust know ${name}: ${offers.join(', ')}; trust one (dkr-shp trust add <peer>), take its answer once (--from <peer>), or pull by id or /ipfs/<cid>`,
    { fields: { name, answers: offers } },
  );
}
