import { shortText } from '../kernel/short-text';
import type { Alert } from './alert';
import type { StandingAlerts } from './standing-alerts';

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
const NAME = 'GateWedged';

export function createWedgedAlerts(standing: StandingAlerts): WedgedAlerts {
  return {
    found: (reports) => {
      const alerts = reports.map(wedgedAlert);
      const except = new Set(alerts.map(({ fingerprint }) => fingerprint));
      standing.lower({ names: [NAME], except }, 'The workflow runs again, or has ended');
      for (const alert of alerts) standing.raise(alert, MAX_FIRING);
    },
  };
}

function wedgedAlert({ workflowId, sinceMs, text }: WedgedReport): Alert {
  const [, deploymentId] = /^deployment\/(.+)$/.exec(workflowId) ?? [];
  return {
    status: 'firing',
    fingerprint: shortText(`wedged-${workflowId}`),
    name: NAME,
    ...(deploymentId === undefined ? {} : { deploymentId }),
    summary: `${workflowId} waits with a failing workflow task: it decides nothing and answers no one`,
    description: text,
    startsAtMs: sinceMs,
    reminder: 0,
  };
}
