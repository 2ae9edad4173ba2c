/** What every domain can meet: facts, policies, releases, the audit log, settings and actions are the same for all. */
export const CommonFailure = {
  FactSourceUnavailable: 'FactSourceUnavailable',
  FactStale: 'FactStale',
  FactInvalid: 'FactInvalid',
  FactMissing: 'FactMissing',
  PolicyUnavailable: 'PolicyUnavailable',
  PolicyInvalid: 'PolicyInvalid',
  PolicyEvaluation: 'PolicyEvaluation',
  ReleaseChanged: 'ReleaseChanged',
  ConfigInvalid: 'ConfigInvalid',
  ManifestInvalid: 'ManifestInvalid',
  RevisionConflict: 'RevisionConflict',
  /** a record could not be written: nothing may act on it */
  AuditWriteFailed: 'AuditWriteFailed',
  /** the audit log could not be read, opened or set up: nothing is lost by it */
  AuditUnavailable: 'AuditUnavailable',
  /** Temporal could not be reached, or did not answer in time */
  TemporalUnavailable: 'TemporalUnavailable',
  ActionFailed: 'ActionFailed',
} as const;

/** What only the gate can meet. Each further domain has a list like this one, and joins `FailureType`. */
export const GateFailure = {
  LeaseLapsed: 'LeaseLapsed',
  /** the deployment was paused for longer than `pauseTimeout` */
  PauseTimedOut: 'PauseTimedOut',
  DeploymentDenied: 'DeploymentDenied',
  DeploymentAborted: 'DeploymentAborted',
} as const;

/** What only stored rule policies can meet. */
export const RulesFailure = {
  RuleNotFound: 'RuleNotFound',
  /** a living policy has the name */
  RuleNameTaken: 'RuleNameTaken',
  /** others extend, include or depend on it */
  RuleInUse: 'RuleInUse',
  QuotaExceeded: 'QuotaExceeded',
  AccessDenied: 'AccessDenied',
  /** the store of policies could not be reached, or refused */
  StoreUnavailable: 'StoreUnavailable',
} as const;

/** What only images can meet. */
export const ImagesFailure = {
  /** a registry could not be reached, or refused the login */
  RegistryUnavailable: 'RegistryUnavailable',
} as const;

/**
 * Every type of failure, over all domains. The names are public: they are in Temporal's failures, in audit records, in
 * metrics and in the README (a test compares the two).
 */
export const FailureType = { ...CommonFailure, ...GateFailure, ...RulesFailure, ...ImagesFailure } as const;
export type FailureType = (typeof FailureType)[keyof typeof FailureType];

/** Failure types that a retry of the same activity cannot mend: same input, same result. */
export const NON_RETRYABLE_FAILURES: readonly FailureType[] = [
  FailureType.FactInvalid,
  FailureType.FactMissing,
  FailureType.PolicyInvalid,
  FailureType.PolicyEvaluation,
  FailureType.ReleaseChanged,
  FailureType.ConfigInvalid,
  FailureType.ManifestInvalid,
  FailureType.RevisionConflict,
  FailureType.LeaseLapsed,
  FailureType.PauseTimedOut,
  FailureType.DeploymentDenied,
  FailureType.DeploymentAborted,
  FailureType.RuleNotFound,
  FailureType.RuleNameTaken,
  FailureType.RuleInUse,
  FailureType.QuotaExceeded,
  FailureType.AccessDenied,
];

/**
 * One thing that is wrong, as data: it crosses activity boundaries, is stored in audit records and shown to people.
 * `message` says what was expected, what was found and where, in one sentence and without secrets.
 */
export interface Fault {
  type: FailureType;
  message: string;
  /** the fact concerned, when it is one */
  factId?: string;
  /** where: a file, a JSON path, or a URL without secrets */
  where?: string;
  /** the age found and the age allowed, for `FactStale` */
  ageMs?: number;
  maxAgeMs?: number;
  /** the HTTP status found, when there was one */
  status?: number;
}

/** Thrown by features; `toApplicationFailure` turns it into Temporal's failure at the activity boundary. */
export class GateError extends Error {
  override readonly name = 'GateError';
  constructor(
    readonly type: FailureType,
    message: string,
    /** every fault found, at least one */
    readonly faults: readonly Fault[] = [{ type, message }],
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** A GateError that holds all `faults`; its type is the first one's that no retry can mend, else the first one's. */
export function faultsToError(faults: readonly [Fault, ...Fault[]] | readonly Fault[]): GateError {
  const first = faults.find((fault) => NON_RETRYABLE_FAILURES.includes(fault.type)) ?? faults[0];
  if (first === undefined) throw new TypeError('faultsToError needs at least one fault');
  return new GateError(first.type, faults.map((fault) => fault.message).join('; '), faults);
}

/**
 * The same faults, each said to be of `name`; any other error as it is.
 *
 * @param path how a fault names it that needs no more
 */
export function namedFaults(name: string, error: unknown, path: string = name): unknown {
  if (!(error instanceof GateError)) return error;
  const faults = error.faults.map((fault) =>
    fault.message.includes(path) ? fault : { ...fault, message: `${name}: ${fault.message}` },
  );
  return new GateError(error.type, faultsToError(faults).message, faults, { cause: error });
}
