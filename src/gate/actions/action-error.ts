import { FailureType, GateError, type Fault } from '../../kernel/failures';

/** An action that did not succeed, with what the lease and the retries need to know (gate rules, section 6). */
export class ActionError extends GateError {
  /** another attempt under the same idempotency key may succeed */
  readonly retryable: boolean;
  /** false only when it is certain that the receiver never saw the request */
  readonly mayHaveBeenSent: boolean;
  /** how long the receiver asked to be left alone, in milliseconds */
  readonly retryAfterMs?: number;

  constructor(
    message: string,
    detail: {
      retryable: boolean;
      mayHaveBeenSent: boolean;
      retryAfterMs?: number;
      where?: string;
      status?: number;
      faults?: Fault[];
      cause?: unknown;
    },
  ) {
    const { where, status, cause } = detail;
    const own: Fault = { type: FailureType.ActionFailed, message, where, status };
    super(FailureType.ActionFailed, message, detail.faults ?? [own], cause === undefined ? undefined : { cause });
    this.retryable = detail.retryable;
    this.mayHaveBeenSent = detail.mayHaveBeenSent;
    this.retryAfterMs = detail.retryAfterMs;
  }
}
