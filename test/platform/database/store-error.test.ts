import { describe, expect, it } from '@jest/globals';
import { FailureType, GateError } from '../../../src/kernel/failures';
import { isAnswerOfServer, storeError } from '../../../src/platform/database/store-error';

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
