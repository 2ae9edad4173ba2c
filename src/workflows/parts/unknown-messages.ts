import { defineSignal, setHandler, type WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { withoutBigUpdates } from './big-updates';
import { noteActivation } from './steady-now';
import { messageTypeInfo } from '../../platform/temporal/payloads/messages';

/** Temporal's own names: no handler can be set for them, and without one they do nothing. */
const RESERVED = /^__(temporal_|stack_trace$|enhanced_stack_trace$)/;

interface Listener {
  known: ReadonlySet<string>;
  note(signalName: string): void;
}

// A workflow runs in a module scope of its own, so this holds what one execution was sent.
let listener: Listener | undefined;
const early = new Set<string>();
const handled = new Set<string>();
const withArguments = new Set<string>();

/**
 * From now on, signals of other names than these are noted, and so are those that came before. For a workflow that handles
 * no other messages than the gate's: one of your own may set its handlers later.
 *
 * Temporal's default signal handler will not do. What it is given was read without a hint, so that one unreadable argument
 * fails the workflow task for ever; and while it is set, a signal with a reserved name does the same.
 */
export function noteUnknownSignals(known: readonly string[], note: (signalName: string) => void): void {
  listener = { known: new Set(known), note };
  for (const name of early) handleUnknown(listener, name);
  early.clear();
}

/**
 * Answers a signal of the workflow's own, whatever it carries. To be called before `noteUnknownSignals`, which would take it
 * for an unknown one.
 */
export function answerSignal(name: string, handler: () => void): void {
  handled.add(name);
  setHandler({ ...defineSignal<unknown[]>(name), ...messageTypeInfo() }, () => handler());
}

/**
 * From now on queries of this name get their arguments, which `noteUnknownSignals` leaves out of every other. Their handler
 * has to be set with `messageTypeInfo`.
 */
export function readArguments(queryName: string): void {
  withArguments.add(queryName);
}

/**
 * Leaves Updates that are too big to the server, and sets the handler of an unknown name before its first signal is
 * dispatched; without one it would be kept for ever.
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  internals: [
    {
      activate: (input, next) => {
        const { activation } = input;
        noteActivation(activation);
        activation.jobs = withoutBigUpdates(activation.jobs ?? []);
        for (const { signalWorkflow, queryWorkflow } of activation.jobs) {
          const name = signalWorkflow?.signalName;
          if (name && listener) handleUnknown(listener, name);
          else if (name) early.add(name);
          // One that cannot be read would fail the activation, and the run would be loaded again.
          if (queryWorkflow && listener && !withArguments.has(queryWorkflow.queryType ?? ''))
            queryWorkflow.arguments = [];
        }
        next(input);
      },
    },
  ],
});

function handleUnknown({ known, note }: Listener, name: string): void {
  if (known.has(name) || handled.has(name) || RESERVED.test(name)) return;
  answerSignal(name, () => note(name));
}
