import { describe, expect, it } from '@jest/globals';
import { shouldContinueAsNew } from '../../../src/workflows/parts/should-continue-as-new';

const run = { continueAsNewSuggested: false, targetWorkerDeploymentVersionChanged: false, historyLength: 100 };

describe('shouldContinueAsNew', () => {
  it.each([
    ['a run that the server suggests nothing for', run, undefined, false],
    ['a run that the server finds too long', { ...run, continueAsNewSuggested: true }, undefined, true],
    ['a run at its own limit', run, 100, true],
    ['a run below its own limit', run, 101, false],
    ['a run whose target version changed', { ...run, targetWorkerDeploymentVersionChanged: true }, undefined, true],
    [
      'a run whose target version changed and that has only begun to wait',
      { ...run, targetWorkerDeploymentVersionChanged: true, historyLength: 8 },
      undefined,
      false,
    ],
  ])('shouldContinueAsNew decides for %s', (_what, info, limit, expected) => {
    expect(shouldContinueAsNew(info, limit)).toBe(expected);
  });
});
