import { isJsonObject } from '../../kernel/json';
import type { ObjectMeta, PlanObject } from '../object';
import { deleteObject } from '../serving/write-object';
import type { WriteSession } from '../store/plan-store';

/**
 * Removes an object, and what it owns, in turn. An execution goes with each of its owners, as PlanSpec has it; what else others
 * own too loses the reference, as in Kubernetes. What is owned and has finalizers is marked, and goes when they are gone.
 *
 * @param orphan leaves what it owns, without the reference
 */
export async function removeWithOwned(
  session: WriteSession,
  object: PlanObject,
  nowMs: number,
  { orphan = false } = {},
): Promise<void> {
  await session.remove(object);
  const { uid, namespace } = object.metadata;
  if (uid === undefined) return;
  for (const { kind, metadata: key } of await session.owned({ namespace, uid })) {
    // It may have gone with another of its owners.
    const owned = await session.get({ kind, namespace, name: key.name });
    if (owned === undefined) continue;
    const others = ownersOf(owned).filter((owner) => owner.uid !== uid);
    if (orphan || (others.length > 0 && kind !== 'Execution')) {
      const { ownerReferences: _gone, ...metadata } = owned.metadata;
      const kept = others.length > 0 ? { ...metadata, ownerReferences: others } : metadata;
      await session.update({ ...owned, metadata: kept }, owned);
      continue;
    }
    const outcome = deleteObject(owned, { nowMs });
    if (outcome.action === 'deleted') await removeWithOwned(session, owned, nowMs);
    else if (outcome.action === 'updated') await session.update(outcome.object, owned);
  }
}

/** A new execution with its plan among its owners. */
export async function ownedByPlan(session: WriteSession, execution: PlanObject): Promise<PlanObject> {
  const { namespace } = execution.metadata;
  const name = planOf(execution);
  const plan = name === undefined ? undefined : await session.get({ kind: 'Plan', namespace, name });
  const uid = plan?.metadata.uid;
  if (plan === undefined || uid === undefined) return execution;
  const owner = { apiVersion: plan.apiVersion, kind: 'Plan', name: plan.metadata.name, uid };
  const others = ownersOf(execution).filter((each) => each.uid !== uid);
  return { ...execution, metadata: { ...execution.metadata, ownerReferences: [...others, owner] } };
}

/** The metadata of an execution that is written again: who owns it is not for its file to forget, and its plan always does. */
export function withOwnersOf(stored: PlanObject, { metadata }: PlanObject): ObjectMeta {
  const before = ownersOf(stored);
  if (before.length === 0) return metadata;
  if (metadata.ownerReferences === undefined) return { ...metadata, ownerReferences: before };
  const plan = before.filter(({ kind, name }) => kind === 'Plan' && name === planOf(stored));
  const sent = metadata.ownerReferences.filter(({ uid }) => !plan.some((each) => each.uid === uid));
  return { ...metadata, ownerReferences: [...sent, ...plan] };
}

const ownersOf = ({ metadata }: PlanObject) => metadata.ownerReferences ?? [];

function planOf({ spec }: PlanObject): string | undefined {
  return isJsonObject(spec.planRef) && typeof spec.planRef.name === 'string' ? spec.planRef.name : undefined;
}
