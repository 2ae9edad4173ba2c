import type { JsonObject } from '../../kernel/json';
import type { Release } from '../release';
import { domainsOf, inputOf } from './cases';

/** So many answers are looked for: a policy that gives none on any of them has no inputs that are easily found. */
const SAMPLES = 12;

/** No rules are known where there is no `opa`: what they compare with takes no part. */
const NO_SOURCE = { rules: [], calls: new Set<string>(), texts: new Set<string>(), numbers: new Set<number>() };

/**
 * Inputs with a value for every fact and attribute that a release's policy reads, as its schemas describe them. The same
 * release gives the same inputs.
 */
export function sampleInputs(release: Release): JsonObject[] {
  const domains = domainsOf([{ release, source: NO_SOURCE }]);
  return Array.from({ length: SAMPLES }, (_, at) =>
    inputOf(
      domains,
      domains.map(({ values }, place) => (values.length === 0 ? 0 : (at * (place + 1)) % values.length)),
    ),
  );
}
