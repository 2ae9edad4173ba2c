/** Whether what an alert is about is still wrong. */
export const AlertStatus = { firing: 'firing', resolved: 'resolved' } as const;
export type AlertStatus = (typeof AlertStatus)[keyof typeof AlertStatus];

/** One message about one pause (or one refused release). All messages of one pause share the fingerprint. */
export interface Alert {
  status: AlertStatus;
  /** stable identity of what is wrong: the pause's id */
  fingerprint: string;
  /** e.g. `DeploymentPaused`, `ReleaseRefused` */
  name: string;
  /** absent on an alert about a release */
  deploymentId?: string;
  /** the stage that is paused */
  stage?: string;
  /** failure type that caused it */
  pauseReason?: string;
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
}

export interface AlertReceiver {
  readonly name: string;
  /** retried inside; rejects when the receiver could not be reached in the end */
  send(alert: Alert): Promise<void>;
}
