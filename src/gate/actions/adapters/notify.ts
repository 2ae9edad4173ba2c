import { messageOf } from '../../../kernel/message-of';
import { FailureType, type Fault } from '../../../kernel/failures';
import type { ActionContext, ActionResult, NoticeSpec, NotifyAction } from '../action';
import { ActionError } from '../action-error';
import type { ActionKind, Notices, RunOptions } from '../action-kind';
import { renderText } from '../template';

/** Tells people something. A receiver that took a message gets it once from one worker, however often it is tried. */
export const notifyAction: ActionKind<NotifyAction> = {
  type: 'notify',
  check: (spec, context) => [
    ...fill(spec, context, 'action').faults,
    ...(spec.compensation === undefined ? [] : fill(spec.compensation, context, 'action.compensation').faults),
  ],
  create: ({ notices }) => ({
    run: (spec, context, options) => tell(notices, spec, spec, context, 'action', options),
    async compensate(spec, context, options) {
      if (spec.compensation === undefined) return { summary: 'no compensation is defined' };
      return tell(notices, spec.compensation, spec, context, 'action.compensation', options);
    },
  }),
};

async function tell(
  notices: Notices,
  notice: NoticeSpec,
  { receivers, severity = 'info' }: NotifyAction,
  context: ActionContext,
  where: string,
  { idempotencyKey: key, signal }: RunOptions,
): Promise<ActionResult> {
  // Receivers are asked side by side and end by their own time-outs: nothing begins once the action was stopped.
  if (signal.aborted) {
    throw new ActionError('The notification was stopped before it was sent', {
      retryable: true,
      mayHaveBeenSent: false,
      cause: signal.reason,
    });
  }
  const known = notices.receivers();
  const wanted = receivers ?? known;
  const { text, faults } = fill(notice, context, where);
  if (known.length === 0)
    faults.push(fault('action', "Expected the worker's settings to have receivers (alerts.receivers), found none"));
  else
    for (const name of wanted) {
      if (known.includes(name)) continue;
      const message = `Expected a receiver of the worker's settings, one of ${known.join(', ')}, got ${name}`;
      faults.push(fault('action.receivers', message));
    }
  if (faults.length > 0) {
    const message = faults.map((each) => each.message).join('; ');
    throw new ActionError(message, { retryable: false, mayHaveBeenSent: false, faults });
  }
  const { deployment_id: deploymentId, stage } = context;
  try {
    await notices.tell({ key, deploymentId, stage, severity, ...text }, wanted);
  } catch (error) {
    const message = `The notification failed: ${messageOf(error)}`;
    throw new ActionError(message, { retryable: true, mayHaveBeenSent: true, cause: error });
  }
  return { summary: `told ${wanted.join(', ')}` };
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
