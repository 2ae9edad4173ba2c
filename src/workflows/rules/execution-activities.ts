import { ActivityCancellationType, proxyActivities, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { RuleActivities } from '../../activities/rule-activities';
import type { ExecutionDefaults } from '../../rules/execution/execution-defaults';
import type { PlannedStep } from '../../rules/execution/execution';

type Proxies = ActivityInterfaceFor<RuleActivities>;

/** Never gives up: how an execution behaves must be known before it begins. */
export const untilKnown: Proxies = proxyActivities<RuleActivities>({ startToCloseTimeout: '10s' });

/** Reading the state and evaluating on it. */
export const reading: Proxies = proxyActivities<RuleActivities>({
  startToCloseTimeout: '2m',
  retry: { maximumAttempts: 5, initialInterval: '500ms', maximumInterval: '10s' },
});

/** A report that an outage of the store may hold up: after the last attempt the execution is paused. */
export const reporting: Proxies = proxyActivities<RuleActivities>({
  startToCloseTimeout: '10s',
  retry: { maximumAttempts: 3, initialInterval: '200ms' },
});

/** Never gives up: the server keeps asking, and the history does not grow. */
export const untilReported: Proxies = proxyActivities<RuleActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/** A message to people; reminders try again. */
export const telling: Proxies = proxyActivities<RuleActivities>({
  startToCloseTimeout: '30s',
  retry: { maximumAttempts: 3, initialInterval: '1s' },
});

/** Attempts at one step, each within the step's own time. A cancellation is waited for: only then it is known what was sent. */
export function acting(defaults: ExecutionDefaults, { timeoutMs, sentence }: PlannedStep): Proxies {
  return proxyActivities<RuleActivities>({
    startToCloseTimeout: timeoutMs ?? defaults.stepTimeoutMs,
    heartbeatTimeout: defaults.heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { maximumAttempts: defaults.stepAttempts, initialInterval: '500ms', maximumInterval: '30s' },
    summary: sentence.slice(0, 100),
  });
}

/** Attempts at taking one step back. */
export function undoing(defaults: ExecutionDefaults, { timeoutMs, sentence }: PlannedStep): Proxies {
  return proxyActivities<RuleActivities>({
    startToCloseTimeout: timeoutMs ?? defaults.stepTimeoutMs,
    heartbeatTimeout: defaults.heartbeatTimeoutMs,
    retry: { maximumAttempts: defaults.rollbackAttempts, initialInterval: '500ms', maximumInterval: '30s' },
    summary: `take back: ${sentence}`.slice(0, 100),
  });
}
