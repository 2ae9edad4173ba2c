import type { Alert } from '../../../alerts/alert';
import { AlertDeliveryError } from '../../../alerts/alert-dispatcher';
import { alertLabels } from '../../../alerts/alert-labels';
import { BoundedMap } from '../../../kernel/bounded-map';
import { derivedId } from '../../../kernel/derived-id';
import { FailureType, type Fault } from '../../../kernel/failures';
import type { ActionContext, ActionResult, NoticeSpec, NotifyAction } from '../action';
import { ActionError } from '../action-error';
import type { ActionKind, Notices, RunOptions } from '../action-kind';
import { renderText } from '../template';

/** As receivers know it. Public: the name of an alert. */
const NAME = 'Notification';
/** When a message was first sent, for its attempts. */
const REMEMBERED = 1_000;

/** Tells people something. A receiver that took a message gets it once from one worker, however often it is tried. */
export const notifyAction: ActionKind<NotifyAction> = {
  type: 'notify',
  check: (spec, context) => [
    ...fill(spec, context, 'action').faults,
    ...(spec.compensation === undefined ? [] : fill(spec.compensation, context, 'action.compensation').faults),
  ],
  create({ notices }) {
    const begun = new BoundedMap<string, number>(REMEMBERED);
    const send = (notice: NoticeSpec, spec: NotifyAction, context: ActionContext, key: string, where: string) => {
      const startsAtMs = begun.get(key) ?? notices.nowMs();
      begun.set(key, startsAtMs);
      return tell(notices, { notice, spec, context, key, where, startsAtMs });
    };
    return {
      run: (spec, context, { idempotencyKey, signal }) =>
        unlessStopped(signal, () => send(spec, spec, context, idempotencyKey, 'action')),
      compensate(spec, context, { idempotencyKey, signal }) {
        const { compensation } = spec;
        if (compensation === undefined) return Promise.resolve({ summary: 'no compensation is defined' });
        return unlessStopped(signal, () => send(compensation, spec, context, idempotencyKey, 'action.compensation'));
      },
    };
  },
};

interface Notice {
  notice: NoticeSpec;
  spec: NotifyAction;
  context: ActionContext;
  key: string;
  where: string;
  /** the same for every attempt: to the dispatcher another time is another message */
  startsAtMs: number;
}

async function tell(
  notices: Notices,
  { notice, spec, context, key, where, startsAtMs }: Notice,
): Promise<ActionResult> {
  const known = notices.receivers();
  const { receivers: wanted = known, severity = 'info' } = spec;
  const { text, faults } = fill(notice, context, where);
  if (known.length === 0)
    faults.push(fault('action', "Expected the worker's settings to have receivers (alerts.receivers), found none"));
  for (const name of wanted) {
    if (known.includes(name)) continue;
    const message = `Expected a receiver of the worker's settings, one of ${known.join(', ') || 'none'}, got ${name}`;
    faults.push(fault('action.receivers', message));
  }
  if (faults.length > 0) {
    const message = faults.map((each) => each.message).join('; ');
    throw new ActionError(message, { retryable: false, mayHaveBeenSent: false, faults });
  }
  const { deployment_id: deploymentId, stage } = context;
  const about = { name: NAME, severity, deploymentId, stage };
  const alert: Alert = {
    status: 'firing',
    fingerprint: derivedId('notice', key),
    ...about,
    labels: alertLabels(about, notices.labels),
    ...text,
    startsAtMs,
    reminder: 0,
  };
  try {
    await notices.send(alert, wanted);
  } catch (error) {
    if (!(error instanceof AlertDeliveryError)) throw error;
    const told = error.failures.map(({ receiver, message }) => `${receiver} (${message})`).join('; ');
    throw new ActionError(`The notification was not taken by ${told}`, {
      retryable: true,
      mayHaveBeenSent: true,
      cause: error,
    });
  }
  return { summary: `told ${wanted.join(', ')}` };
}

/** Receivers are asked side by side and end by their own time-outs: nothing begins once the action was stopped. */
async function unlessStopped(signal: RunOptions['signal'], send: () => Promise<ActionResult>): Promise<ActionResult> {
  if (!signal.aborted) return send();
  throw new ActionError('The notification was stopped before it was sent', {
    retryable: true,
    mayHaveBeenSent: false,
    cause: signal.reason,
  });
}

function fill(
  { summary, description }: NoticeSpec,
  context: ActionContext,
  where: string,
): { text: Required<NoticeSpec>; faults: Fault[] } {
  const faults: Fault[] = [];
  const filled = (text: string, key: string): string => renderText(text, context, { where: `${where}.${key}`, faults });
  const text = {
    summary: filled(summary, 'summary'),
    description: description === undefined ? '' : filled(description, 'description'),
  };
  return { text, faults };
}

function fault(where: string, message: string): Fault {
  return { type: FailureType.ConfigInvalid, message, where };
}
