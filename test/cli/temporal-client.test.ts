import { describe, expect, it } from '@jest/globals';
import { NamespaceNotFoundError } from '@temporalio/common';
import { connectionFailure } from '../../src/cli/temporal-client';
import { TemporalUnreachable } from '../../src/platform/temporal/connection/reach-temporal';

const grpc = (code: number, message: string) => Object.assign(new Error(message), { code });

describe('an error of the connection to Temporal', () => {
  it.each<[Error, string, RegExp]>([
    [new TemporalUnreachable('a:1', 'the connection was refused'), 'TemporalUnavailable', /a:1 .* refused\. Is it/],
    [new Error('a call', { cause: grpc(14, '14 UNAVAILABLE: x') }), 'TemporalUnavailable', /14 UNAVAILABLE: x/],
    [grpc(4, '4 DEADLINE_EXCEEDED'), 'TemporalUnavailable', /DEADLINE_EXCEEDED/],
    [grpc(7, '7 PERMISSION_DENIED: no'), 'AccessDenied', /refused the caller/],
    [grpc(16, '16 UNAUTHENTICATED: no'), 'AccessDenied', /refused the caller/],
    [new NamespaceNotFoundError('gone'), 'NotFound', /^Temporal has no namespace gone; TEMPORAL_NAMESPACE/],
    [grpc(5, '5 NOT_FOUND: Namespace gone is not found.'), 'NotFound', /^Temporal has no namespace gone;/],
  ])('%s has the type %s', (error, type, message) => {
    expect(connectionFailure(error)).toMatchObject({
      type,
      message: expect.stringMatching(message),
      faults: [{ type }],
    });
  });

  it.each([grpc(5, '5 NOT_FOUND: no such execution'), grpc(3, 'x'), new Error('Namespace'), 'text'])(
    '%s is another one',
    (error) => expect(connectionFailure(error)).toBeUndefined(),
  );
});
