import type { JsonObject } from '../../kernel/json';
import { failure, invalid, type FailureReason, type StatusDetails } from '../serving/status-object';
import type { SchemaFault } from '../../platform/documents/validate';

/** A request that cannot be met, as the `Status` object that its client gets. */
export class PlanFailure extends Error {
  override readonly name = 'PlanFailure';
  constructor(readonly body: JsonObject) {
    super(body.message as string);
  }

  /** the HTTP status */
  get code(): number {
    return this.body.code as number;
  }
}

export function planFailure(reason: FailureReason, message: string, details?: StatusDetails): PlanFailure {
  return new PlanFailure(failure(reason, message, details));
}

export function invalidFailure(faults: readonly SchemaFault[], details?: Omit<StatusDetails, 'faults'>): PlanFailure {
  return new PlanFailure(invalid(faults, details));
}
