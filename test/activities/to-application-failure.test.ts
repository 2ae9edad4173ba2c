import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from '@jest/globals';
import { translated } from '../../src/activities/to-application-failure';
import { LIMITS } from '../../src/kernel/limits';
import { FailureType, GateError } from '../../src/kernel/failures';

const failing = (error: unknown) => translated(FailureType.ActionFailed, () => Promise.reject(error));

describe('the errors of an activity', () => {
  it.each([
    ['a lapsed lease', ApplicationFailure.nonRetryable('lapsed', FailureType.LeaseLapsed, { cause: 'age' })],
    ['a release that the worker does not hold', ApplicationFailure.nonRetryable('changed', FailureType.ReleaseChanged)],
    ['facts that failed, with what was found', ApplicationFailure.retryable('facts', 'FactStale', { decisionId: 'd' })],
    ['a cancellation', new CancelledFailure('cancelled')],
  ])('the errors of an activity pass as they are when they are Temporal’s already: %s', async (_, failure) => {
    await expect(failing(failure)).rejects.toBe(failure);
  });

  it.each([
    [FailureType.PolicyUnavailable, false],
    [FailureType.PolicyInvalid, true],
  ])('the errors of an activity become failures of their own type: %s', async (type, nonRetryable) => {
    await expect(failing(new GateError(type, 'm'))).rejects.toMatchObject({
      type,
      nonRetryable,
      message: 'm',
      details: [null, [{ type, message: 'm' }]],
    });
  });

  it.each([[new TypeError('m')], ['m']])(
    'the errors of an activity of unknown kind count as the step’s own: %p',
    async (error) => {
      await expect(failing(error)).rejects.toMatchObject({ type: 'ActionFailed', message: 'm', nonRetryable: false });
    },
  );

  it.each([LIMITS.failureChars - 1, LIMITS.failureChars, LIMITS.failureChars + 1, 900_000])(
    'the errors of an activity have messages that fit: of %d characters',
    async (chars) => {
      const error = new GateError(FailureType.ActionFailed, 'm'.repeat(chars));
      const failure = (await failing(error).catch((thrown: unknown) => thrown)) as ApplicationFailure;
      expect(failure.message).toHaveLength(Math.min(chars, LIMITS.failureChars));
    },
  );

  it('the errors of an activity leave what succeeds alone', async () => {
    expect(await translated(FailureType.ActionFailed, async () => 'done')).toBe('done');
  });
});
