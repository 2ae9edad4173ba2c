import type { ExplainedCondition } from '../conditions/explain-condition';

/**
 * The sentence of the condition that decided: for an `all` that is false the first part that is false, for an `any` each of its
 * parts, for an unknown one the first that is unknown. A description on the way is taken instead of what is below it.
 */
export function decidingSentence(explained: ExplainedCondition): string {
  const { kind, outcome, parts, sentence, described } = explained;
  if (parts === undefined || described === true) return sentence;
  const alike = parts.filter((part) => part.outcome === outcome);
  if (kind === 'not') return `not: ${decidingSentence(parts[0]!)}`;
  const everyPart = (kind === 'any') === (outcome === 'false') && outcome !== 'unknown';
  const deciding = everyPart ? alike : alike.slice(0, 1);
  return deciding.map(decidingSentence).join('; ');
}
