import type { PlanObject } from '../object';
import { deleteObject } from '../serving/write-object';
import type { WriteSession } from '../store/plan-store';

/**
 * Removes an object, and what it alone owns, in turn; what others own too loses the reference. What is owned and has finalizers
 * is marked, and goes when they are gone.
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
  for (const owned of await session.owned({ namespace, uid })) {
    const others = (owned.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
    if (others.length > 0 || orphan) {
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
