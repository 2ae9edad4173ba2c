import { CancellationScope } from '@temporalio/workflow';
import type { GateDefaults } from '../../activities/gate-activities';
import type { Alert } from '../../alerts/alert';
import { remoteActivities } from './activity-proxies';

/**
 * Sends messages in order, beside the main loop: a receiver that is down holds up neither a pause nor a decision. Each
 * message is given up after the attempts that the configuration allows; the next reminder tries again.
 */
export class GateAlerts {
  private last: Promise<void> = Promise.resolve();
  private unsent = 0;

  constructor(private readonly onFailure: (message: string) => void) {}

  get isIdle(): boolean {
    return this.unsent === 0;
  }

  send(alert: Alert, options: GateDefaults['activities']): void {
    this.unsent += 1;
    const summary = `${alert.status}: ${alert.name}${alert.reminder > 0 ? ` (reminder ${alert.reminder})` : ''}`;
    // A cancelled workflow still owes its `resolved`.
    this.last = CancellationScope.nonCancellable(async () => {
      await this.last;
      try {
        await remoteActivities(options, 'alert', summary).sendAlert(alert);
      } catch (error) {
        this.onFailure(
          `Alert not delivered: ${error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)}`,
        );
      } finally {
        this.unsent -= 1;
      }
    });
  }

  async flush(): Promise<void> {
    await CancellationScope.nonCancellable(() => this.last);
  }
}
