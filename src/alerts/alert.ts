import type { AlertSeverity } from '../kernel/alert-event';
import type { AlertLabels } from './alert-labels';

/** Whether what an alert is about is still wrong. */
export const AlertStatus = { firing: 'firing', resolved: 'resolved' } as const;
export type AlertStatus = (typeof AlertStatus)[keyof typeof AlertStatus];

/** One message about one incident, one end of a deployment, or one release. All messages of one share the fingerprint. */
export interface Alert {
  status: AlertStatus;
  /** stable identity of what is wrong */
  fingerprint: string;
  /** e.g. `DeploymentPaused`, `ReleaseRefused` */
  name: string;
  /** absent on an alert about a release */
  deploymentId?: string;
  /** the stage that it is about */
  stage?: string;
  /** URL of the manifest, of an alert about a release */
  manifest?: string;
  /** failure type that is the reason now: it may change from message to message, so it is no label */
  pauseReason?: string;
  /** absent in messages of earlier releases, as `labels` */
  severity?: AlertSeverity;
  /** all labels, the user's own too; the same in all messages of one incident */
  labels?: AlertLabels;
  /** one sentence for the subject line */
  summary: string;
  /** everything an operator needs: every fault, what would unblock it, the command to type */
  description: string;
  /** epoch milliseconds */
  startsAtMs: number;
  /** when resolved */
  endsAtMs?: number;
  /** 0 for the first message, then 1, 2, … */
  reminder: number;
  /** while it fires: when the next message is due; absent where none follows */
  nextReminderAtMs?: number;
}

export interface AlertReceiver {
  readonly name: string;
  /** it knows by itself what fires: a resolved message about anything else changes nothing there, and tells no one */
  readonly knowsWhatFires?: true;
  /** retried inside; rejects when the receiver could not be reached in the end */
  send(alert: Alert): Promise<void>;
}
