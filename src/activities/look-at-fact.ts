import type { FactTarget } from '../gate/facts/fact';
import { SnapshotError } from '../gate/facts/collect-snapshot';
import type { Services } from '../gate/services';
import { messageOf } from '../kernel/message-of';
import { shortText } from '../kernel/short-text';
import type { FactFound } from '../plans/execution/fact-criterion';

const MOST_TEXT = 500;

/** The value of a fact, asked of its source now, as a decision would take it; it throws nothing. */
export async function lookAtFact(
  { releases, collect }: Pick<Services, 'releases' | 'collect'>,
  target: FactTarget,
  id: string,
): Promise<FactFound> {
  try {
    const release = releases.current();
    const { facts } = await collect(release, target, true);
    const fact = facts.find((each) => each.id === id);
    return fact === undefined ? { fault: 'the release in force does not have it' } : { value: fact.value };
  } catch (error) {
    if (!(error instanceof SnapshotError)) return { fault: shortText(messageOf(error), MOST_TEXT) };
    const { facts, faults } = error.failure;
    const own = faults.filter(({ factId }) => factId === id);
    const fact = facts.find((each) => each.id === id);
    // What is wrong with other facts says nothing of this one.
    if (own.length === 0 && fact !== undefined) return { value: fact.value };
    const said = own.length === 0 ? faults : own;
    return { fault: shortText(said.map(({ message }) => message).join('; '), MOST_TEXT) };
  }
}
