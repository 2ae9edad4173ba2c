import { describe, expect, it } from '@jest/globals';
import type { StageBehaviour } from '../../../src/releases/config/release-config';
import { compileBehaviour } from '../../../src/gate/deployments/stage-behaviour';

const defaults: StageBehaviour = {
  onDeny: 'fail',
  recheckEvery: '30s',
  recheckAtMost: '5m',
  autoResume: false,
  mode: 'enforce',
  overrideValidFor: '15m',
  remindAfter: '15m',
  remindAtMost: '24h',
};

describe('compileBehaviour', () => {
  const compiled = {
    onDeny: 'fail',
    mode: 'enforce',
    autoResume: false,
    recheckEveryMs: 30_000,
    recheckAtMostMs: 300_000,
    overrideValidForMs: 900_000,
    remindAfterMs: 900_000,
    remindAtMostMs: 86_400_000,
  };
  it('compileBehaviour takes the release’s defaults, without an end to waiting', () => {
    expect(compileBehaviour(defaults, {})).toEqual(compiled);
    expect(compileBehaviour({ ...defaults, giveUpAfter: '6h' }, {}).giveUpAfterMs).toBe(21_600_000);
  });

  it('compileBehaviour lets the deployment’s file override them, with false and zero too', () => {
    const stage = {
      onDeny: 'wait',
      mode: 'observe',
      autoResume: false,
      recheckEvery: '0s',
      giveUpAfter: '0s',
      overrideValidFor: '1m',
    } as const;
    expect(compileBehaviour({ ...defaults, autoResume: true, giveUpAfter: '6h' }, stage)).toEqual({
      ...compiled,
      onDeny: 'wait',
      mode: 'observe',
      recheckEveryMs: 0,
      giveUpAfterMs: 0,
      overrideValidForMs: 60_000,
    });
  });
});
