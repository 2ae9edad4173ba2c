import { FailureType, type Fault } from '../../kernel/failures';
import { jsonBytes } from '../../kernel/limits';
import type { Fact } from './fact';

/** What is wrong with the size of a fact's value, as a clause; undefined when it may be used. */
export function sizeFault(value: unknown, most: number): string | undefined {
  const bytes = jsonBytes(value);
  return bytes > most ? `has ${bytes} bytes as JSON, more than the ${most} that a fact may have` : undefined;
}

/** How many facts a fault about their size names, the biggest first. */
const NAMED_FACTS = 3;

/**
 * What is wrong with the size of the facts of one decision; undefined when they fit.
 *
 * @param most bytes of all of them as JSON
 * @param advice what else to do than to make them smaller
 */
export function factsFault(facts: readonly Fact[], most: number, advice = ''): Fault | undefined {
  const bytes = jsonBytes(facts);
  if (bytes <= most) return undefined;
  const biggest = facts
    .map((fact) => ({ fact, bytes: jsonBytes(fact.value) }))
    .sort((one, other) => other.bytes - one.bytes);
  const named = biggest.slice(0, NAMED_FACTS).map((one) => `${one.fact.id} has ${one.bytes}`);
  const message = `The facts of this decision have ${bytes} bytes as JSON, more than the ${most} allowed: ${named.join(', ')}${advice}`;
  const factId = biggest[0]?.fact.id;
  return { type: FailureType.FactInvalid, message, where: 'facts', ...(factId === undefined ? {} : { factId }) };
}
