import { FailureType, GateError } from '../../kernel/failures';
import type { SchedulePause } from '../schedules/schedule-pause';
import type { PolicyRef, StoredPolicy } from '../store/stored-policy';
import type { RecordDelivery } from '../../audit/service/deliver-records';
import { requireReason, requireType } from './requests';
import { pauseRecord } from './rule-records';
import type { RuleParts } from './rule-parts';
import type { PauseRequest, RuleCaller, RulePauses } from './rule-service';

export interface PauseContext extends Pick<RuleParts, 'store' | 'now' | 'newId'> {
  delivery: RecordDelivery;
  find(ref: PolicyRef): Promise<StoredPolicy>;
}

/** Pauses of schedules. One that is asked for twice is one, with the actor and the reason of the first. */
export function createPauses({ store, delivery, find, now, newId }: PauseContext): Omit<RulePauses, 'list'> {
  /** What is paused, by a caller who may pause it. */
  async function scopeOf(caller: RuleCaller, { policy, reason }: PauseRequest): Promise<StoredPolicy | undefined> {
    requireReason(reason);
    if (policy === undefined) {
      if (caller.policyTypes === undefined) return undefined;
      const message = `${caller.actor} may pause policies of the types ${caller.policyTypes.join(', ') || '(none)'}, not all`;
      throw new GateError(FailureType.AccessDenied, message);
    }
    const found = await find(policy);
    requireType(caller, found.type);
    return found;
  }

  return {
    async pause(caller, request) {
      const policy = await scopeOf(caller, request);
      const { reason } = request;
      const act = { actor: caller.actor, reason, timestamp: new Date(now()).toISOString() };
      const { actor, timestamp: since } = act;
      const pause: SchedulePause = { ...(policy === undefined ? {} : { policyId: policy.id }), actor, reason, since };
      const record = pauseRecord(newId(), 'pause', act, policy);
      const changed = await store.pause(pause, record);
      if (changed) await delivery.soon([record]);
      return { changed };
    },
    async unpause(caller, request) {
      const policy = await scopeOf(caller, request);
      const act = { actor: caller.actor, reason: request.reason, timestamp: new Date(now()).toISOString() };
      const record = pauseRecord(newId(), 'resume', act, policy);
      const changed = await store.unpause(policy?.id, record);
      if (changed) await delivery.soon([record]);
      return { changed };
    },
  };
}
