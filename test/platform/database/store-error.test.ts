import { describe, expect, it } from '@jest/globals';
import { FailureType, GateError } from '../../../src/kernel/failures';
import { isAnswerOfServer, isOutage, storeError } from '../../../src/platform/database/store-error';

const coded = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('storeError', () => {
  it.each([
    [coded('28P01'), 'refused the user name or password (28P01)'],
    [coded('57P01'), 'was shut down (57P01)'],
    [coded('ECONNREFUSED'), 'refuses connections: nothing listens there (ECONNREFUSED)'],
    [new Error('Query read timeout'), 'did not answer in time'],
    [new Error('timeout exceeded when trying to connect'), 'did not answer in time'],
    [new Error('Connection terminated unexpectedly'), 'closed the connection'],
    [coded('53100', 'disk full'), 'failed: disk full (53100)'],
    [new Error(''), 'failed: no message given'],
    ['a bare string', 'failed: a bare string'],
    [undefined, 'failed: undefined'],
  ])('storeError says of %p that the store %s', (error, problem) => {
    expect(storeError('PostgreSQL at db:5432/gate', 'record it', error)).toMatchObject({
      type: 'AuditUnavailable',
      message: `Cannot record it: PostgreSQL at db:5432/gate ${problem}`,
      cause: error,
    });
  });

  it('storeError leaves an error alone that says all already', () => {
    const error = new GateError(FailureType.ConfigInvalid, 'not a URL');
    expect(storeError('anywhere', 'do anything', error)).toBe(error);
  });
});

describe('isAnswerOfServer', () => {
  it.each([
    ['23505', true],
    ['53100', true],
    ['57014', true],
    ['57P01', false],
    ['EPIPE', false],
    ['ECONNRESET', false],
  ])('an error coded %s: %s', (code, sound) => {
    expect(isAnswerOfServer(coded(code))).toBe(sound);
  });

  it('an error without a code: false', () => {
    expect(isAnswerOfServer(new Error('Query read timeout'))).toBe(false);
    expect(isAnswerOfServer(null)).toBe(false);
  });
});

describe('isOutage', () => {
  it.each([
    ['a refused connection', coded('ECONNREFUSED'), true],
    ['a name that is not known yet', coded('ENOTFOUND'), true],
    ['a server that starts', coded('57P03'), true],
    ['a server without a free connection', coded('53300'), true],
    ['a standby', coded('25006'), true],
    ['a connection that times out', new Error('timeout exceeded when trying to connect'), true],
    ['a closed connection', new Error('Connection terminated unexpectedly'), true],
    ['a wrong password', coded('28P01'), false],
    ['an unknown database', coded('3D000'), false],
    ['a missing permission', coded('42501'), false],
    ['a certificate of no known authority', coded('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate'), false],
    ['a server without TLS', new Error('The server does not support SSL connections'), false],
    ['anything else', new Error('no such folder'), false],
    ['no error at all', undefined, false],
  ] as [string, unknown, boolean][])('whether waiting can mend %s', (_what, error, passes) => {
    expect(isOutage(error)).toBe(passes);
  });
});
