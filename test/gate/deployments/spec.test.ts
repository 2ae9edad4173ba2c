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
  resolveAfter: '2m',
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
    resolveAfterMs: 120_000,
  };
  it('compileBehaviour takes the release’s defaults, without an end to waiting', () => {
    expect(compileBehaviour(defaults, {})).toEqual(compiled);
    expect(compileBehaviour({ ...defaults, giveUpAfter: '6h' }, {}).giveUpAfterMs).toBe(21_600_000);
    const timed = { ...defaults, pauseTimeout: '1h' };
    expect(compileBehaviour(timed, {}).pauseTimeout).toEqual({ afterMs: 3_600_000, end: 'fail' });
    const over = { pauseTimeout: '2h', onPauseTimeout: 'abort' } as const;
    expect(compileBehaviour(timed, over).pauseTimeout).toEqual({ afterMs: 7_200_000, end: 'abort' });
  });

  it.each([
    ['2m', '30s', 120_000],
    ['10s', '30s', 30_000],
    ['30s', '30s', 30_000],
    [undefined, '5m', 300_000],
  ])(
    'compileBehaviour never has an incident of resolveAfter %s resolved before recheckEvery %s',
    (resolveAfter, recheckEvery, expected) => {
      const { resolveAfter: _default, ...others } = defaults;
      const known = resolveAfter === undefined ? others : { ...others, resolveAfter };
      expect(compileBehaviour(known, { recheckEvery }).resolveAfterMs).toBe(expected);
    },
  );

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
