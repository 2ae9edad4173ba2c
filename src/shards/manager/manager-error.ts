import { FailureType, GateError } from '../../kernel/failures';

/** What is known of a call that failed. */
export interface ManagerFailure {
  /** false where the same call would fail again */
  retryable: boolean;
  /** false where the manager certainly did not carry it out */
  mayHaveBeenSent: boolean;
  /** of the answer, where there was one */
  status?: number;
  /** the manager's own word for the reason, such as `no_room` */
  code?: string;
  where: string;
  cause?: unknown;
}

/** A call to the shard manager that failed. */
export class ManagerError extends GateError {
  readonly retryable: boolean;
  readonly mayHaveBeenSent: boolean;
  readonly status: number | undefined;
  readonly code: string | undefined;

  constructor(message: string, { retryable, mayHaveBeenSent, status, code, where, cause }: ManagerFailure) {
    const type = status === 412 ? FailureType.RevisionConflict : FailureType.ActionFailed;
    super(type, message, [{ type, message, where, ...(status === undefined ? {} : { status }) }], { cause });
    this.retryable = retryable;
    this.mayHaveBeenSent = mayHaveBeenSent;
    this.status = status;
    this.code = code;
  }
}
