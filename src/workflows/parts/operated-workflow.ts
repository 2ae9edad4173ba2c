import { log } from '@temporalio/workflow';
import { continueAsNewIfLong } from './carry-over';
import { Inbox, type CarriedInbox, type InboxWords } from './inbox';
import { Outbox } from './outbox';
import { settle } from './settle';
import { WorkflowView, type CarriedAttributes, type Shown } from './view';

/** What continue-as-new carries of every operated workflow, beside its domain's state. */
export interface CarriedOperation<R> extends CarriedInbox<R> {
  shownAttributes: CarriedAttributes;
}

/** A domain's calls and what it shows, in its words. */
export interface OperationWords<K extends string, R> {
  inbox: Omit<InboxWords<K, R>, 'noted'>;
  /** Markdown for the Temporal UI. @param notes signals that were not accepted */
  details(notes: readonly string[]): string;
  attributes: Shown['attributes'];
}

/** What operators and other people have of a workflow: calls are taken, messages are sent, and the state is shown. */
export class OperatedWorkflow<K extends string, R, M = unknown> {
  readonly inbox: Inbox<K, R>;
  readonly outbox = new Outbox<M>((error) => log.warn(`Message not delivered: ${causeOf(error)}`));
  readonly view: WorkflowView;

  constructor(words: OperationWords<K, R>, carried: CarriedOperation<R> | undefined) {
    const { details, attributes } = words;
    this.view = new WorkflowView({ details: () => details(this.inbox.notes), attributes }, carried?.shownAttributes);
    // Signals that came before their handlers are taken while the inbox is made, and may be noted then.
    let isMade = false;
    const noted = (): void => {
      if (isMade) this.view.publish();
    };
    this.inbox = new Inbox({ ...words.inbox, noted }, carried);
    isMade = true;
    if (this.inbox.notes.length > 0) this.view.publish();
  }

  /**
   * Continues as new, when the history is long and no call waits, with what is carried then.
   *
   * @param beforehand runs before the state is read that is carried
   */
  async continueAsNewIfLong(
    historyLimit: number | undefined,
    continueAsNew: (carried: CarriedOperation<R>) => Promise<void>,
    beforehand?: () => Promise<void>,
  ): Promise<void> {
    const carry = (): Promise<void> => continueAsNew({ ...this.inbox.carried(), shownAttributes: this.view.carried() });
    const { inbox, outbox } = this;
    await continueAsNewIfLong({ historyLimit, inbox, outbox, beforehand, continueAsNew: carry });
  }

  /**
   * Before the workflow closes.
   *
   * @param message the answer to calls that came too late
   * @param handOver as for `settle`
   */
  async settle(message: string, handOver?: (unsent: M[]) => Promise<unknown>): Promise<void> {
    await settle(this, message, handOver);
  }
}

function causeOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
}
