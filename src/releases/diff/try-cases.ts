import type { Fault } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { Release } from '../release';
import { findCalm, generateCases, inputOf, type Case, type Domain } from './cases';

/** What one release decides; the part of a decision that people compare. */
export interface TriedDecision {
  outcome: 'allow' | 'deny' | 'error';
  denyReasons: string[];
  faults: Pick<Fault, 'type' | 'message'>[];
}

/** One input on which the two releases differ, with the decision of each. */
export interface CaseDifference {
  /** the facts and attributes by which it comes to this; the others are as in the calm input */
  input: JsonObject;
  a: TriedDecision;
  b: TriedDecision;
}

/** On which generated inputs two releases decide differently. */
export interface CasesResult {
  /** the same seed over the same two releases generates the same inputs */
  seed: number;
  /** how many inputs were decided under both */
  tried: number;
  /** inputs with one value changed, the calm one among them: fewer tried than these leave values out */
  single: number;
  /** inputs of `tried` on which the two differ */
  differing: number;
  /** the input that all others vary */
  calm: JsonObject;
  /** false: no input was found that both allow, so that a denial may hide another */
  isCalmAllowed: boolean;
  /** facts and attributes for which no value could be made */
  withoutValues: string[];
  /** each brought down to the values that it takes, and each once; other outcomes before other reasons */
  differences: CaseDifference[];
}

/**
 * Decides generated inputs under both releases, and tells on which they differ.
 *
 * @param decide the real evaluation of an input under a release; must not depend on anything else
 */
export async function tryCases(request: {
  a: Release;
  b: Release;
  domains: readonly Domain[];
  count: number;
  seed: number;
  decide(release: Release, input: JsonObject): Promise<TriedDecision>;
}): Promise<CasesResult> {
  const { a, b, domains, count, seed, decide } = request;
  const known = new Map<string, Promise<[TriedDecision, TriedDecision]>>();
  const decideBoth = (made: Case): Promise<[TriedDecision, TriedDecision]> => {
    const key = made.join();
    const input = inputOf(domains, made);
    const both = known.get(key) ?? Promise.all([decide(a, input), decide(b, input)]);
    known.set(key, both);
    return both;
  };
  const calm = await findCalm(domains, async (made) => {
    const [one, other] = await decideBoth(made);
    return scoreOf(one) + scoreOf(other);
  });
  const cases = generateCases(domains, calm, count, seed);
  const found = new Map<string, CaseDifference>();
  let differing = 0;
  for (let from = 0; from < cases.length; from += AT_ONCE) {
    const some = cases.slice(from, from + AT_ONCE);
    const decided = await Promise.all(some.map(decideBoth));
    for (const [at, [one, other]] of decided.entries()) {
      if (textOf(one) === textOf(other)) continue;
      differing++;
      const reduced = await reduce(some[at]!, calm, decideBoth);
      const [ofA, ofB] = await decideBoth(reduced);
      const varied = reduced.flatMap((choice, place) => (choice === calm[place] ? [] : [place]));
      const matters = varied.length > 0 ? varied : domains.map((_domain, place) => place);
      const input = inputOf(
        matters.map((place) => domains[place]!),
        matters.map((place) => reduced[place]!),
      );
      found.set(reduced.join(), { input, a: ofA, b: ofB });
    }
  }
  const calmDecisions = await decideBoth(calm);
  const isReasonOnly = (difference: CaseDifference): number => Number(difference.a.outcome === difference.b.outcome);
  return {
    seed,
    tried: cases.length,
    single: domains.reduce((sum, { values }) => sum + Math.max(0, values.length - 1), 1),
    differing,
    calm: inputOf(domains, calm),
    isCalmAllowed: calmDecisions.every(({ outcome }) => outcome === 'allow'),
    withoutValues: domains.filter(({ values }) => values.length === 0).map(({ path }) => path.join('.')),
    differences: [...found.values()].sort((one, other) => isReasonOnly(one) - isReasonOnly(other)),
  };
}

/** Evaluations side by side, so that the evaluation's thread never waits. */
const AT_ONCE = 64;

/** The case with every value back to calm that can be so without changing in what the two differ. */
async function reduce(
  made: Case,
  calm: Case,
  decideBoth: (made: Case) => Promise<[TriedDecision, TriedDecision]>,
): Promise<Case> {
  const wanted = differenceText(await decideBoth(made));
  let reduced = made;
  for (const [at, choice] of made.entries()) {
    if (choice === calm[at]) continue;
    const calmer = reduced.with(at, calm[at]!);
    if (differenceText(await decideBoth(calmer)) === wanted) reduced = calmer;
  }
  return reduced;
}

/** What one says and the other does not: a denial of both for the same reason is no part of their difference. */
function differenceText([a, b]: readonly [TriedDecision, TriedDecision]): string {
  const [ofA, ofB] = [sentencesOf(a), sentencesOf(b)];
  const lacking = (list: string[], others: string[]): string[] => list.filter((one) => !others.includes(one));
  return JSON.stringify([lacking(ofA, ofB), lacking(ofB, ofA)]);
}

const sentencesOf = ({ denyReasons, faults }: TriedDecision): string[] => [
  ...denyReasons,
  ...faults.map(({ type, message }) => `${type}: ${message}`),
];

/** An error is further from calm than any denial. */
function scoreOf({ outcome, denyReasons, faults }: TriedDecision): number {
  return outcome === 'allow' ? 0 : denyReasons.length + 100 * faults.length;
}

const textOf = ({ outcome, denyReasons, faults }: TriedDecision): string =>
  JSON.stringify([outcome, denyReasons, faults.map(({ type, message }) => [type, message])]);
