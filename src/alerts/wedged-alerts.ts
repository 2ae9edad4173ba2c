import { shortText } from '../kernel/short-text';
import type { Alert } from './alert';
import { createAlertQueue, type UnawaitedAlerts } from './alert-queue';

/** A workflow whose workflow task fails again and again, in words. */
export interface WedgedReport {
  workflowId: string;
  /** epoch milliseconds: the same for every worker that reports it */
  sinceMs: number;
  /** one sentence with attempt, cause and message */
  text: string;
}

/** One alert a wedged workflow: it fires once, and is resolved when the workflow runs again or has ended. */
export interface WedgedAlerts {
  /** @param reports all that are wedged now */
  found(reports: readonly WedgedReport[]): void;
}

/** Alerts at a time; more are one cause, which these name. */
const MAX_FIRING = 20;

export function createWedgedAlerts(unawaited: UnawaitedAlerts): WedgedAlerts {
  const firing = new Map<string, Alert>();
  const { nowMs } = unawaited;
  const queue = createAlertQueue(unawaited);
  return {
    found: (reports) => {
      const now = new Set(reports.map(({ workflowId }) => workflowId));
      for (const [workflowId, alert] of firing) {
        if (now.has(workflowId)) continue;
        firing.delete(workflowId);
        queue({ ...alert, status: 'resolved', summary: `${workflowId} runs again, or has ended`, endsAtMs: nowMs() });
      }
      for (const report of reports) {
        if (firing.has(report.workflowId) || firing.size >= MAX_FIRING) continue;
        const alert = wedgedAlert(report);
        firing.set(report.workflowId, alert);
        queue(alert);
      }
    },
  };
}

function wedgedAlert({ workflowId, sinceMs, text }: WedgedReport): Alert {
  const [, deploymentId] = /^deployment\/(.+)$/.exec(workflowId) ?? [];
  return {
    status: 'firing',
    fingerprint: shortText(`wedged-${workflowId}`),
    name: 'GateWedged',
    ...(deploymentId === undefined ? {} : { deploymentId }),
    summary: `${workflowId} waits with a failing workflow task: it decides nothing and answers no one`,
    description: text,
    startsAtMs: sinceMs,
    reminder: 0,
  };
}
