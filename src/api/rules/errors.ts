import { Code, ConnectError } from '@connectrpc/connect';
import { GateError, type FailureType } from '../../kernel/failures';
import { BadRequestSchema, ErrorInfoSchema } from '../../proto/google/rpc/error_details_pb';
import { faultField, faultSentence } from '../../rules/service/fault-field';

/** The `domain` of google.rpc.ErrorInfo. */
export const ERROR_DOMAIN = 'planning-engine';

const CODES: Partial<Record<FailureType, Code>> = {
  ConfigInvalid: Code.InvalidArgument,
  FactInvalid: Code.InvalidArgument,
  FactMissing: Code.InvalidArgument,
  RuleNotFound: Code.NotFound,
  RuleNameTaken: Code.AlreadyExists,
  RuleInUse: Code.FailedPrecondition,
  FactStale: Code.FailedPrecondition,
  PolicyEvaluation: Code.FailedPrecondition,
  RevisionConflict: Code.Aborted,
  QuotaExceeded: Code.ResourceExhausted,
  AccessDenied: Code.PermissionDenied,
  StoreUnavailable: Code.Unavailable,
  AuditWriteFailed: Code.Unavailable,
  AuditUnavailable: Code.Unavailable,
  FactSourceUnavailable: Code.Unavailable,
};

/**
 * A failure of a use case as gRPC tells it: its code, its type as google.rpc.ErrorInfo, and for INVALID_ARGUMENT every fault as
 * google.rpc.BadRequest, with the place in the document below `definition`. Undefined for what no use case throws.
 */
export function toConnectError(error: unknown): ConnectError | undefined {
  if (!(error instanceof GateError)) return undefined;
  const code = CODES[error.type];
  if (code === undefined) return undefined;
  const info = { desc: ErrorInfoSchema, value: { reason: toReason(error.type), domain: ERROR_DOMAIN } };
  const fieldViolations = error.faults.map((fault) => {
    const inDocument = faultField(fault);
    const field = inDocument === undefined ? (fault.where ?? '') : ['definition', inDocument].filter(Boolean).join('.');
    return { field, description: inDocument === undefined ? fault.message : faultSentence(fault) };
  });
  const details = code === Code.InvalidArgument ? [{ desc: BadRequestSchema, value: { fieldViolations } }] : [];
  return new ConnectError(error.message, code, undefined, [info, ...details] as never);
}

/** `RuleNotFound` → `RULE_NOT_FOUND`, as ErrorInfo wants its reasons. */
export function toReason(type: string): string {
  return type.replaceAll(/(?<=[a-z])([A-Z])/g, '_$1').toUpperCase();
}
