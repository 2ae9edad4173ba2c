import { ApplicationFailure, condition, currentUpdateInfo, setHandler } from '@temporalio/workflow';
import type { SignalDefinition, UpdateDefinition } from '@temporalio/common';
import { LIMITS } from '../../kernel/limits';
import { shortText, shortTexts } from '../../kernel/short-text';
import { messageTypeInfo } from '../../platform/temporal/payloads/messages';
import { createAddressBook } from './address-book';
import { CallQueue, type QueuedCall } from './call-queue';
import { noteUnknownSignals } from './unknown-messages';
import {
  earlierReply,
  shapeFaults,
  type CallShape,
  type HandledCall,
  type OperatorCall,
} from '../../kernel/operator-call';

/** How a kind of call reaches the workflow. A signal and an Update may share a name: the Temporal UI sends the signal. */
export interface CallChannel<R> extends CallShape {
  update: UpdateDefinition<R, [OperatorCall]>;
  signal?: SignalDefinition<[unknown]>;
}

/** A domain's calls, in its words. */
export interface InboxWords<K extends string, R> {
  /** whose calls these are: what a call names where one workflow has several; @default the only one's */
  subject?: string;
  calls: Record<K, CallChannel<R>>;
  /** taken before all others */
  urgent: K;
  /** why a well-formed call does not fit the present state, shortened before it is shown; undefined when it does */
  misfit(kind: K, call: OperatorCall): string | undefined;
  reply(kind: K, accepted: boolean, message: string): R;
  /**
   * Carries out a call in its handler, beside the main line, and answers it; undefined for one that waits for the main line.
   * To be decided before anything is awaited.
   */
  atOnce?(queued: QueuedCall<K, R>): Promise<void> | undefined;
  /** a signal was noted: the notes must be shown */
  noted(): void;
}

/** What continue-as-new carries of an inbox. */
export interface CarriedInbox<R> {
  handled: HandledCall<R>[];
  /** what could not be accepted from signals, newest last */
  notes: string[];
}

// A workflow runs in a module scope of its own, so these are the inboxes of one execution: they share their handlers.
const addressBook = createAddressBook();

/**
 * Receives operators' calls. Updates that do not fit are refused by their validator with the state found; signals cannot
 * be refused, so they are noted and change nothing. Handlers do no more than queue.
 */
export class Inbox<K extends string, R> extends CallQueue<K, R> {
  private readonly noted: string[];

  constructor(
    private readonly words: InboxWords<K, R>,
    carried?: CarriedInbox<R>,
  ) {
    super(
      {
        urgent: words.urgent,
        misfit: (kind, call) => this.misfit(kind, call),
        reply: words.reply,
        voided: (message) => this.note(message),
      },
      [...(carried?.handled ?? [])],
    );
    this.noted = [...(carried?.notes ?? [])];
    const channels = Object.entries(words.calls) as [K, CallChannel<R>][];
    const typeInfo = messageTypeInfo();
    const addressed = addressBook.add<Inbox<K, R>>(words.subject ?? '', this);
    for (const [kind, { update }] of channels) {
      const validator = (call: OperatorCall): void => {
        const { to, why } = addressed(call);
        if (to === undefined) throw ApplicationFailure.nonRetryable(why, 'OperatorCallRefused');
        to.validate(kind, call);
      };
      const handler = (call: OperatorCall): Promise<R> => (addressed(call).to ?? this).submit(kind, call);
      setHandler({ ...update, ...typeInfo }, handler, { validator });
    }
    for (const [kind, { signal }] of channels) {
      if (!signal) continue;
      setHandler({ ...signal, ...typeInfo }, (call: unknown) => {
        const { to, why } = addressed(call);
        if (to !== undefined) return to.signalled(kind, call);
        this.note(`Signal ${kind} not accepted: ${why}`);
        return undefined;
      });
    }
  }

  /** Notes signals of other names, too. For a workflow that handles no messages but these. */
  noteUnknownSignals(): void {
    const channels = Object.values(this.words.calls) as CallChannel<R>[];
    const known = channels.flatMap(({ signal }) => (signal ? [signal.name] : []));
    noteUnknownSignals(known, (name) =>
      this.note(`Signal ${JSON.stringify(shortText(name))} not accepted: Expected one of ${known.join(', ')}`),
    );
  }

  get notes(): readonly string[] {
    return this.noted;
  }

  carried(): CarriedInbox<R> {
    return { handled: this.handled, notes: this.noted };
  }

  private validate(kind: K, call: unknown): void {
    const id = currentUpdateInfo()?.id;
    if (id !== undefined && earlierReply(this.carried(), id) !== undefined) return;
    const unfit = this.unfit(kind, call);
    if (unfit !== undefined) throw ApplicationFailure.nonRetryable(unfit, 'OperatorCallRefused');
  }

  private async submit(kind: K, call: OperatorCall): Promise<R> {
    const id = currentUpdateInfo()?.id;
    const earlier = id === undefined ? undefined : earlierReply(this.carried(), id);
    if (earlier !== undefined) return earlier;
    const queued: QueuedCall<K, R> = { kind, call, id };
    await this.accept(queued);
    await condition(() => queued.reply !== undefined);
    return queued.reply as R;
  }

  private async signalled(kind: K, call: unknown): Promise<void> {
    const unfit = this.unfit(kind, call);
    if (unfit === undefined) await this.accept({ kind, call: call as OperatorCall });
    else this.note(`Signal ${kind} not accepted: ${unfit}`);
  }

  private async accept(queued: QueuedCall<K, R>): Promise<void> {
    const carriedOut = this.words.atOnce?.(queued);
    if (carriedOut === undefined) this.queue.push(queued);
    else await carriedOut;
  }

  private unfit(kind: K, call: unknown): string | undefined {
    const faults = shapeFaults(kind, call, this.words.calls[kind]);
    return faults.length > 0 ? shortTexts(faults) : this.misfit(kind, call as OperatorCall);
  }

  private misfit(kind: K, call: OperatorCall): string | undefined {
    const sentence = this.words.misfit(kind, call);
    return sentence === undefined ? undefined : shortText(sentence);
  }

  private note(text: string): void {
    this.noted.push(text);
    this.noted.splice(0, this.noted.length - LIMITS.notes);
    this.words.noted();
  }
}
