import type { Fault } from '../../failures';
import type { JsonObject } from '../../json';
import type { Release } from '../release';
import { findCalm, generateCases, inputOf, type Case, type Domain } from './cases';

/** What one release decides; the part of a decision that people compare. */
export interface TriedDecision {
  outcome: 'allow' | 'deny' | 'error';
  denyReasons: string[];
  faults: Pick<Fault, 'type' | 'message'>[];
}

export interface Difference {
  /** the facts and attributes by which it comes to this; the others are as in the calm input */
  input: JsonObject;
  a: TriedDecision;
  b: TriedDecision;
}

export interface CasesResult {
  seed: number;
  tried: number;
  /** inputs of `tried` on which the two differ */
  differing: number;
  /** the input that all others vary */
  calm: JsonObject;
  /** false: no input was found that both allow, so that a denial may hide another */
  isCalmAllowed: boolean;
  /** facts and attributes for which no value could be made */
  withoutValues: string[];
  /** one of each kind (the outcomes, and the facts by which), other outcomes before other reasons */
  differences: Difference[];
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
  const found = new Map<string, Difference>();
  let differing = 0;
  for (let from = 0; from < cases.length; from += AT_ONCE) {
    const some = cases.slice(from, from + AT_ONCE);
    const decided = await Promise.all(some.map(decideBoth));
    for (const [at, [one, other]] of decided.entries()) {
      if (textOf(one) === textOf(other)) continue;
      differing++;
      const varied = await variedIn(some[at]!, calm, decideBoth);
      const matters = varied.length > 0 ? varied : domains.map((_domain, place) => place);
      const input = inputOf(
        matters.map((place) => domains[place]!),
        matters.map((place) => some[at]![place]!),
      );
      const kind = JSON.stringify([matters, textOf(one), textOf(other)]);
      if (!found.has(kind)) found.set(kind, { input, a: one, b: other });
    }
  }
  const calmDecisions = await decideBoth(calm);
  const isReasonOnly = (difference: Difference): number => Number(difference.a.outcome === difference.b.outcome);
  return {
    seed,
    tried: cases.length,
    differing,
    calm: inputOf(domains, calm),
    isCalmAllowed: calmDecisions.every(({ outcome }) => outcome === 'allow'),
    withoutValues: domains.filter(({ values }) => values.length === 0).map(({ path }) => path.join('.')),
    differences: [...found.values()].sort((one, other) => isReasonOnly(one) - isReasonOnly(other)),
  };
}

/** Evaluations side by side, so that the evaluation's thread never waits. */
const AT_ONCE = 64;

/** The places that cannot go back to calm without changing what the two decide. */
async function variedIn(
  made: Case,
  calm: Case,
  decideBoth: (made: Case) => Promise<[TriedDecision, TriedDecision]>,
): Promise<number[]> {
  const before = (await decideBoth(made)).map(textOf).join();
  const places = made.flatMap((choice, at) => (choice === calm[at] ? [] : [at]));
  const matter = await Promise.all(
    places.map(async (at) => (await decideBoth(made.with(at, calm[at]!))).map(textOf).join() !== before),
  );
  return places.filter((_place, index) => matter[index]);
}

/** An error is further from calm than any denial. */
function scoreOf({ outcome, denyReasons, faults }: TriedDecision): number {
  return outcome === 'allow' ? 0 : denyReasons.length + 100 * faults.length;
}

const textOf = ({ outcome, denyReasons, faults }: TriedDecision): string =>
  JSON.stringify([outcome, denyReasons, faults.map(({ type, message }) => [type, message])]);
