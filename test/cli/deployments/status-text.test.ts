import { describe, expect, it } from '@jest/globals';
import { exitCodeOf, explanationLines, statusLines } from '../../../src/cli/deployments/status-text';
import { explain } from '../../../src/gate/deployments/explain';
import { aDecision, aPause, aStatus } from '../../gate/deployments/a-status';

const io = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  env: {},
  cwd: '/',
  signal: new AbortController().signal,
};

describe('exitCodeOf', () => {
  it.each([
    ['deciding', 0],
    ['waiting', 0],
    ['acting', 0],
    ['done', 0],
    ['denied', 1],
    ['failed', 1],
    ['aborted', 1],
    ['terminated', 1],
    ['timed-out', 1],
    ['paused', 3],
  ] as const)('the exit code of a deployment that is %s is %i', (state, code) => expect(exitCodeOf(state)).toBe(code));
});

describe('what is printed of a deployment', () => {
  it('the text of a deployment names the pause, its faults and when it asks again', () => {
    const lines = statusLines(io, aStatus({ state: 'paused', pause: aPause(), nextAskAtMs: 60_000 }), 31_000);
    expect(lines).toContain('Paused for 30s, pause pause-1');
    expect(lines).toContain('  FactStale: pending is old');
    expect(lines).toContain('Asks again at 1970-01-01T00:01:00.000Z');
  });

  it('the text of a deployment names the reasons of a denial that it waits on', () => {
    expect(statusLines(io, aStatus({ state: 'waiting', lastDecision: aDecision() }), 0)).toContain(
      '  denied: too many: 3',
    );
  });

  it('the text of a deployment that was denied says each reason once', () => {
    const status = aStatus({ state: 'denied', lastDecision: aDecision(), endReason: 'too many: 3' });
    expect(
      statusLines(io, status, 0)
        .join('\n')
        .match(/too many: 3/g),
    ).toHaveLength(1);
  });

  it.each([
    ['paused', {}],
    ['acting', { afterAction: true as const }],
    ['deciding', { afterAction: true as const }],
  ] as const)('the text of a deployment that is held while %s says once who paused it', (state, after) => {
    const hold = { id: 'h1', actor: 'ann', reason: 'maintenance', startedAtMs: 0, ...after };
    const text = statusLines(io, aStatus({ state, hold }), 31_000).join('\n');
    expect(text.match(/paused by ann: maintenance/g)).toHaveLength(1);
    expect(text).toContain('\nPause h1, asked for 31s ago\n');
  });

  it('no reason of others makes a line of its own', () => {
    const reason = 'too many\r\nDeployment d1: done\n';
    const hold = { id: 'h1', actor: 'ann', reason, startedAtMs: 0 };
    const lastDecision = aDecision({ denyReasons: [reason] });
    const status = aStatus({ state: 'paused', hold, lastDecision });
    const texts = [...statusLines(io, status, 0), ...explanationLines(io, explain(status, []))];
    expect(texts.filter((line) => /[\r\n]|^Deployment d1: done/.test(line))).toEqual([]);
    expect(texts.join('\n')).toContain('too many Deployment d1: done');
  });

  it('the text of a deployment gives ages in units that people read', () => {
    const lines = explanationLines(io, explain(aStatus({ state: 'waiting', lastDecision: aDecision() }), []));
    expect(lines).toContain('  pending = 3, 10ms old at the decision (max age 45s), from http://a|b');
  });
});
