import type { Alert } from '../alerts/alert';
import { AlertDeliveryError, type AlertDispatcher } from '../alerts/alert-dispatcher';
import { alertLabels, type AlertLabels } from '../alerts/alert-labels';
import { BoundedMap } from '../kernel/bounded-map';
import { derivedId } from '../kernel/derived-id';
import type { Notice, Notices } from './actions/action-kind';

/** As receivers know it. Public: the name of an alert. */
const NAME = 'Notification';
/** When a message was first sent, for its attempts. */
const REMEMBERED = 1_000;

export interface NoticesOptions {
  /** of the receivers, once they are open */
  dispatcher(): AlertDispatcher;
  /** of the settings, for each message */
  labels: AlertLabels;
  nowMs(): number;
}

/** Tells people what actions say, as alerts. A receiver that took a message is not asked again by this process. */
export function createNotices({ dispatcher, labels, nowMs }: NoticesOptions): Notices {
  const begun = new BoundedMap<string, number>(REMEMBERED);
  return {
    receivers: () => dispatcher().receivers,
    async tell(notice, to) {
      // To the dispatcher another time is another message.
      const startsAtMs = begun.get(notice.key) ?? nowMs();
      begun.set(notice.key, startsAtMs);
      try {
        await dispatcher().send(toAlert(notice, labels, startsAtMs), to);
      } catch (error) {
        if (!(error instanceof AlertDeliveryError)) throw error;
        const told = error.failures.map(({ receiver, message }) => `${receiver} (${message})`).join('; ');
        throw new Error(`it was not taken by ${told}`, { cause: error });
      }
    },
  };
}

function toAlert(notice: Notice, labels: AlertLabels, startsAtMs: number): Alert {
  const { key, deploymentId, stage, severity, summary, description } = notice;
  const about = { name: NAME, severity, deploymentId, stage };
  return {
    status: 'firing',
    fingerprint: derivedId('notice', key),
    ...about,
    labels: alertLabels(about, labels),
    summary,
    description,
    startsAtMs,
    reminder: 0,
  };
}
