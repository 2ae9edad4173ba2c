import { IMAGE_SYNC_WORKFLOW } from '../../kernel/names';
import { shortestIntervalMs, triggerText } from '../../rules/document/trigger';
import { SCHEDULE_ACTOR, scheduleNote, type WantedSchedule } from '../../rules/schedules/wanted-schedules';
import type { ImagePolicySet } from '../policies/image-policy';

/** The schedules of all policies that have one; that of a disabled policy is paused. */
export function wantedSyncs({ policies }: ImagePolicySet, prefix: string): WantedSchedule[] {
  return policies.flatMap(({ id, enabled, document }): WantedSchedule[] => {
    if (document.schedule === undefined) return [];
    const trigger = { cron: document.schedule };
    const execution = { policies: [id], actor: SCHEDULE_ACTOR };
    const what = { id: `${prefix}${id}`, trigger, catchUpMs: shortestIntervalMs(trigger), execution };
    const why = enabled ? triggerText(trigger) : 'the policy is disabled';
    return [{ ...what, workflowType: IMAGE_SYNC_WORKFLOW, paused: !enabled, note: scheduleNote(why, what) }];
  });
}
