/** Who keeps policies from running by their triggers, and why. Times are RFC 3339 in UTC with milliseconds. */
export interface SchedulePause {
  /** the policy; absent: all of them, those to come too */
  policyId?: string;
  actor: string;
  reason: string;
  since: string;
}

/** The pause that holds for a policy: its own before that of all. */
export function pauseOf(pauses: readonly SchedulePause[], policyId: string): SchedulePause | undefined {
  return pauses.find((pause) => pause.policyId === policyId) ?? pauses.find((pause) => pause.policyId === undefined);
}
