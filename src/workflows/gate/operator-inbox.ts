import { ApplicationFailure, condition, currentUpdateInfo, setHandler } from '@temporalio/workflow';
import type {
  CarriedGate,
  DeploymentStatus,
  HandledCall,
  OperatorReply,
} from '../../gate/deployments/deployment-state';
import {
  callFaults,
  earlierReply,
  misfit,
  type OperatorCall,
  type OperatorCallKind,
} from '../../gate/deployments/operator-call';
import { abortSignal, abortUpdate, overrideUpdate, resumeSignal, resumeUpdate } from '../messages';

/** A call that was accepted and waits to be carried out by the gate's main loop, which alone changes state. */
export interface QueuedCall {
  kind: OperatorCallKind;
  call: OperatorCall;
  /** the Update's id; a signal has none */
  id?: string;
  reply?: OperatorReply;
}

/** Ids remembered through continue-as-new; more than any operator sends within one pause. */
const REMEMBERED = 200;
const KEPT_NOTES = 10;

/**
 * Receives operators' calls. Updates that do not fit are refused by their validator with the state found; signals cannot
 * be refused, so they are noted and change nothing.
 */
export class OperatorInbox {
  private readonly queue: QueuedCall[] = [];
  readonly handled: HandledCall[];
  readonly notes: string[];

  constructor(
    carried: Pick<CarriedGate, 'handled' | 'notes'> | undefined,
    private readonly status: () => DeploymentStatus,
    private readonly onNote: () => void,
  ) {
    this.handled = [...(carried?.handled ?? [])];
    this.notes = [...(carried?.notes ?? [])];
    for (const [kind, update] of [
      ['resume', resumeUpdate],
      ['abort', abortUpdate],
      ['override', overrideUpdate],
    ] as const) {
      setHandler(update, (call) => this.submit(kind, call), { validator: (call) => this.validate(kind, call) });
    }
    setHandler(resumeSignal, (call) => this.signalled('resume', call));
    setHandler(abortSignal, (call) => this.signalled('abort', call));
  }

  get isEmpty(): boolean {
    return this.queue.length === 0;
  }

  get abortAwaits(): boolean {
    return this.queue.some((queued) => queued.kind === 'abort');
  }

  /** The next call, an abort before all others. */
  take(): QueuedCall | undefined {
    const index = this.queue.findIndex((queued) => queued.kind === 'abort');
    return this.queue.splice(Math.max(0, index), 1)[0];
  }

  answer(queued: QueuedCall, reply: OperatorReply): void {
    queued.reply = reply;
    if (queued.id === undefined) {
      if (!reply.accepted) this.note(reply.message);
      return;
    }
    this.handled.push({ id: queued.id, reply });
    this.handled.splice(0, this.handled.length - REMEMBERED);
  }

  /** Answers all that still wait when the gate ends, so that no caller hangs. */
  close(message: string): void {
    for (let queued = this.take(); queued; queued = this.take()) {
      const { state, stage } = this.status();
      this.answer(queued, { kind: queued.kind, accepted: false, message, state, stage });
    }
  }

  private validate(kind: OperatorCallKind, call: unknown): void {
    const id = currentUpdateInfo()?.id;
    if (id !== undefined && earlierReply(this, id)) return;
    const faults = callFaults(kind, call);
    const unfit = faults.length > 0 ? faults.join('; ') : misfit(kind, call as OperatorCall, this.status());
    if (unfit !== undefined) throw ApplicationFailure.nonRetryable(unfit, 'OperatorCallRefused');
  }

  private async submit(kind: OperatorCallKind, call: OperatorCall): Promise<OperatorReply> {
    const id = currentUpdateInfo()?.id;
    const earlier = id === undefined ? undefined : earlierReply(this, id);
    if (earlier) return earlier;
    const queued: QueuedCall = { kind, call, id };
    this.queue.push(queued);
    await condition(() => queued.reply !== undefined);
    return queued.reply as OperatorReply;
  }

  private signalled(kind: 'resume' | 'abort', call: unknown): void {
    const faults = callFaults(kind, call);
    const unfit = faults.length > 0 ? faults.join('; ') : misfit(kind, call as OperatorCall, this.status());
    if (unfit === undefined) this.queue.push({ kind, call: call as OperatorCall });
    else this.note(`Signal ${kind} not accepted: ${unfit}`);
  }

  private note(text: string): void {
    this.notes.push(text);
    this.notes.splice(0, this.notes.length - KEPT_NOTES);
    this.onNote();
  }
}
