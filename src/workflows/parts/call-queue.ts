import { LIMITS } from '../../kernel/limits';
import type { HandledCall, OperatorCall } from '../../kernel/operator-call';
import { holdsAcceptedCalls } from './accepted-calls';

/** A call that was accepted and waits to be carried out by the workflow's main line, which alone changes state. */
export interface QueuedCall<K extends string, R> {
  kind: K;
  call: OperatorCall;
  /** the Update's id; a signal has none */
  id?: string;
  reply?: R;
}

/** What a queue asks of the calls in it, in a domain's words. */
export interface QueueWords<K extends string, R> {
  /** taken before all others */
  urgent: K;
  /** why a call does not fit the present state; undefined when it does */
  misfit(kind: K, call: OperatorCall): string | undefined;
  reply(kind: K, accepted: boolean, message: string): R;
  /** a call that nobody waits for was void */
  voided?(message: string): void;
}

/** Calls that were accepted, in the order of their acceptance, for a main line that takes and answers them. */
export class CallQueue<K extends string, R> {
  protected readonly queue: QueuedCall<K, R>[] = [];

  constructor(
    protected readonly asks: QueueWords<K, R>,
    protected readonly handled: HandledCall<R>[] = [],
  ) {}

  get isEmpty(): boolean {
    return this.queue.length === 0;
  }

  get urgentAwaits(): boolean {
    return this.queue.some((queued) => queued.kind === this.asks.urgent);
  }

  /** The next call, an urgent one before all others, whether or not it still fits. */
  take(): QueuedCall<K, R> | undefined {
    const index = this.queue.findIndex((queued) => queued.kind === this.asks.urgent);
    return this.queue.splice(Math.max(0, index), 1)[0];
  }

  /**
   * The next call that fits the state as it is now: one that no longer does is answered as void. An urgent one fitted
   * when it was accepted, and that is enough.
   */
  takeFitting(): QueuedCall<K, R> | undefined {
    for (let queued = this.take(); queued; queued = this.take()) {
      const unfit = this.asks.misfit(queued.kind, queued.call);
      if (unfit === undefined || (queued.kind === this.asks.urgent && holdsAcceptedCalls())) return queued;
      this.answer(queued, false, unfit);
    }
    return undefined;
  }

  /** @param accepted false: the call was void, nothing was changed */
  answer(queued: QueuedCall<K, R>, accepted: boolean, message: string): void {
    queued.reply = this.asks.reply(queued.kind, accepted, message);
    if (queued.id === undefined) {
      if (!accepted) this.asks.voided?.(message);
      return;
    }
    this.handled.push({ id: queued.id, reply: queued.reply });
    this.handled.splice(0, this.handled.length - LIMITS.rememberedCalls);
  }

  /** Answers all calls that still wait when the workflow ends, so that no caller hangs. */
  close(message: string): void {
    for (let queued = this.take(); queued; queued = this.take()) this.answer(queued, false, message);
  }

  /** Adds a call that was accepted elsewhere. */
  put(queued: QueuedCall<K, R>): void {
    this.queue.push(queued);
  }
}
