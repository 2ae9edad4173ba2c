import { CONNECTION_FAULTS } from '../../../kernel/connection-faults';
import { GateError, type FailureType } from '../../../kernel/failures';

const BY_NAME: Record<string, string> = {
  ResourceNotFoundException: 'does not exist: gate audit setup creates it',
  ProvisionedThroughputExceededException: 'throttles: more is asked of it than it may give now',
  ThrottlingException: 'throttles: more is asked of it than it may give now',
  RequestLimitExceeded: 'throttles: more is asked of it than it may give now',
  AccessDeniedException: 'denies a permission that the store needs',
  UnrecognizedClientException: 'refused the credentials',
  InvalidSignatureException: 'refused the credentials',
  IncompleteSignatureException: 'refused the credentials',
  MissingAuthenticationTokenException: 'refused the credentials',
  ExpiredTokenException: 'refused the credentials: they have expired',
  CredentialsProviderError: 'cannot be asked: the AWS SDK finds no credentials in its usual places',
  TimeoutError: 'did not answer in time',
  AbortError: 'did not answer in time',
  SyntaxError: 'broke its answer off, or is no DynamoDB',
};

/** True when the request asked for a condition that does not hold: a record exists under the key. */
export function isConflict(error: unknown): boolean {
  return nameOf(error) === 'ConditionalCheckFailedException';
}

/**
 * The error of DynamoDB as one sentence for people. It repeats neither credentials nor values: of an answer only the kind
 * of error is named, except where the request itself was at fault.
 *
 * @param type of the failure: whether it was to write or to read
 * @param where e.g. `DynamoDB table DeploymentGateAuditLog`
 */
export function dynamoDbError(type: FailureType, where: string, doing: string, error: unknown): GateError {
  if (error instanceof GateError) return error;
  return new GateError(type, `Cannot ${doing}: ${where} ${whatIsWrong(error)}`, undefined, {
    cause: error,
  });
}

/** What follows DynamoDB's name, e.g. `does not exist: … (ResourceNotFoundException)`. */
export function whatIsWrong(error: unknown): string {
  const { $metadata } = (error ?? {}) as { $metadata?: { httpStatusCode?: number; attempts?: number } };
  const tries =
    $metadata?.attempts === undefined || $metadata.attempts < 2 ? '' : `, tried ${$metadata.attempts} times`;
  const code = systemCodeOf(error);
  if (code !== undefined) return `${CONNECTION_FAULTS[code]} (${code}${tries})`;
  const name = nameOf(error);
  const known = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (known !== undefined) return `${known} (${name}${tries})`;
  const status = $metadata?.httpStatusCode;
  if (name === 'ValidationException') return `refused the request: ${messageOf(error)}`;
  // A truncated response can still have status 200.
  if (status !== undefined && status >= 300) return `failed with HTTP status ${status} (${name}${tries})`;
  return `failed: ${messageOf(error)} (${name}${tries})`;
}

/** Errors that are of another realm reach us wrapped by the SDK, as a text alone. */
function systemCodeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'string' && Object.hasOwn(CONNECTION_FAULTS, code)) return code;
  const message = messageOf(error);
  if (/\bsocket hang up\b|\baborted\b/.test(message)) return 'ECONNRESET';
  return Object.keys(CONNECTION_FAULTS).find((known) => message.includes(known));
}

function nameOf(error: unknown): string {
  const { name } = (error ?? {}) as { name?: unknown };
  return typeof name === 'string' ? name : 'unknown error';
}

function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === 'string' && message !== '' ? message : 'no message given';
}
