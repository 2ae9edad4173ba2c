import { describe, expect, it } from '@jest/globals';
import { dynamoDbError, isConflict } from '../../../../src/audit/stores/dynamodb/error';
import { FailureType, GateError } from '../../../../src/kernel/failures';

/** As the AWS SDK throws them. */
const thrown = (name: string, message = 'local-secret-key', $metadata: object = {}): Error =>
  Object.assign(new Error(message), { name, $metadata });

describe('an error of DynamoDB', () => {
  it.each<[string, unknown, string]>([
    [
      'a table that is missing',
      thrown('ResourceNotFoundException'),
      'does not exist: gate audit setup creates it (ResourceNotFoundException)',
    ],
    [
      'throttling, with how often it was tried',
      thrown('ThrottlingException', 'slow down', { httpStatusCode: 400, attempts: 3 }),
      'throttles: more is asked of it than it may give now (ThrottlingException, tried 3 times)',
    ],
    [
      'one try, which goes without saying',
      thrown('RequestLimitExceeded', '', { attempts: 1 }),
      'throttles: more is asked of it than it may give now (RequestLimitExceeded)',
    ],
    [
      'a permission that is lacking, without its ARN',
      thrown('AccessDeniedException', 'User: arn:aws:iam::1:user/x is not authorized', { httpStatusCode: 400 }),
      'denies a permission that the store needs (AccessDeniedException)',
    ],
    [
      'no credentials',
      thrown('CredentialsProviderError', 'Could not load credentials from any providers'),
      'cannot be asked: the AWS SDK finds no credentials in its usual places (CredentialsProviderError)',
    ],
    [
      'a request that is wrong, in DynamoDB’s words',
      thrown('ValidationException', 'One or more parameter values were invalid', { httpStatusCode: 400 }),
      'refused the request: One or more parameter values were invalid',
    ],
    [
      'a server that fails, by its status alone',
      thrown('InternalServerError', 'local-secret-key', { httpStatusCode: 500, attempts: 3 }),
      'failed with HTTP status 500 (InternalServerError, tried 3 times)',
    ],
    [
      'a connection that was refused, by its code',
      Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
      'refuses connections: nothing listens there (ECONNREFUSED)',
    ],
    [
      'a host without a name, out of a text',
      new Error('getaddrinfo ENOTFOUND dynamodb.nowhere'),
      'has a host name that cannot be resolved (ENOTFOUND)',
    ],
    ['a connection that ended', new Error('socket hang up'), 'closed the connection (ECONNRESET)'],
    [
      'an answer of status 200 that is none',
      thrown('OddError', 'no body', { httpStatusCode: 200 }),
      'failed: no body (OddError)',
    ],
    ['a name that objects inherit', thrown('constructor', 'odd'), 'failed: odd (constructor)'],
    ['an error of another code', Object.assign(new Error('x'), { code: 'EPERM' }), 'failed: x (Error)'],
    ['a text', 'odd', 'failed: no message given (unknown error)'],
    ['nothing', undefined, 'failed: no message given (unknown error)'],
  ])('an error of DynamoDB tells of %s', (_what, error, said) => {
    const told = dynamoDbError(FailureType.AuditUnavailable, 'DynamoDB table t', 'read the audit log', error);
    expect(told).toMatchObject({
      type: FailureType.AuditUnavailable,
      message: `Cannot read the audit log: DynamoDB table t ${said}`,
      cause: error,
    });
    expect(told.message).not.toMatch(/local-secret-key|arn:aws/);
  });

  it('an error of DynamoDB that was told already is told as it is', () => {
    const told = new GateError(FailureType.ConfigInvalid, 'a table of another kind');
    expect(dynamoDbError(FailureType.AuditUnavailable, 'DynamoDB table t', 'set up the audit store', told)).toBe(told);
  });

  it.each([
    [thrown('ConditionalCheckFailedException'), true],
    [thrown('TransactionConflictException'), false],
    [undefined, false],
  ])('%s says that a record is there: %s', (error, is) => {
    expect(isConflict(error)).toBe(is);
  });
});
