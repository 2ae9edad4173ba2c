import type { JsonObject } from '../../kernel/json';
import { displayPath } from '../../platform/documents/json-document';
import type { SchemaFault } from '../../platform/documents/validate';

/** Reasons of a failure, with the HTTP status of each, as Kubernetes has them. */
export const FAILURE_CODES = {
  BadRequest: 400,
  Invalid: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
} as const;
export type FailureReason = keyof typeof FAILURE_CODES;

export interface StatusDetails {
  /** the resource in the plural: `goals` */
  kind?: string;
  name?: string;
  /** each becomes a cause with its field */
  faults?: readonly SchemaFault[];
  retryAfterSeconds?: number;
}

/**
 * The body of every error. `causes` are objects with `field` and `message`, which kubectl reads; PlanSpec's own client reads
 * `message` alone, so that names the first fault.
 */
export function failure(reason: FailureReason, message: string, details: StatusDetails = {}): JsonObject {
  const { faults = [], kind, name, retryAfterSeconds } = details;
  const causes = faults.map(({ pointer, sentence }) => ({
    reason: 'FieldValueInvalid',
    message: sentence,
    field: pointer === '' ? '' : displayPath(pointer),
  }));
  const said: JsonObject = {
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
    ...(causes.length === 0 ? {} : { causes }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Status',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(Object.keys(said).length === 0 ? {} : { details: said }),
    code: FAILURE_CODES[reason],
  };
}

/** `Validation failed: …` with the place of the first fault; every fault is among the causes. */
export function invalid(faults: readonly SchemaFault[], details: Omit<StatusDetails, 'faults'> = {}): JsonObject {
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  const where = first === undefined || first.pointer === '' ? '' : `${displayPath(first.pointer)}: `;
  const message = first === undefined ? 'Validation failed' : `Validation failed: ${where}${first.sentence}${more}`;
  return failure('Invalid', message, { ...details, faults });
}

/** The body of a DELETE that was carried out. */
export function success(details: { kind: string; name: string; uid?: string }): JsonObject {
  return { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', details: { ...details }, code: 200 };
}
