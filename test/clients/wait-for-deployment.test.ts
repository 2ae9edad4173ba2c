import { describe, expect, it } from '@jest/globals';
import type { FoundStatus } from '../../src/clients/deployment-client';
import { waitForDeployment } from '../../src/clients/wait-for-deployment';
import type { GateState } from '../../src/gate/deployments/deployment-state';
import { aStatus } from '../gate/deployments/a-status';

const at = (state: GateState, closed = false): FoundStatus =>
  closed
    ? { found: 'status', status: aStatus({ state }), closed: true }
    : { found: 'status', status: aStatus({ state }), closed: false };
const unanswered: FoundStatus = { found: 'unanswered', closed: false };
const forever = new AbortController().signal;

/** Gives these answers one after the other, and the last one again and again. */
function answering(...answers: FoundStatus[]) {
  let asked = 0;
  return { status: () => Promise.resolve(answers[Math.min(asked++, answers.length - 1)]!), asked: () => asked };
}

describe('waiting for a deployment', () => {
  it.each<[string, FoundStatus[], GateState]>([
    ['has ended', [at('acting'), at('done', true)], 'done'],
    ['is paused', [at('acting'), at('paused')], 'paused'],
    ['has ended, after a time without an answer', [unanswered, at('denied', true)], 'denied'],
  ])('waiting for a deployment ends when it %s', async (_title, answers, state) => {
    const seen: FoundStatus[] = [];
    const waited = await waitForDeployment(answering(...answers), 'd1', {
      timeoutMs: 600_000,
      signal: forever,
      onAnswer: (found) => void seen.push(found),
    });
    expect(waited).toMatchObject({ result: 'settled', status: { state } });
    expect(seen).toEqual(answers);
  });

  it('waiting for a deployment asks once when there is no time, and tells the last status', async () => {
    const deployments = answering(at('waiting'));
    const waited = await waitForDeployment(deployments, 'd1', { timeoutMs: 0, signal: forever });
    expect(waited).toMatchObject({ result: 'timeout', status: { state: 'waiting' } });
    expect(deployments.asked()).toBe(1);
  });

  it('waiting for a deployment that no worker answers for ends without a status', async () => {
    const waited = await waitForDeployment(answering(unanswered), 'd1', { timeoutMs: 0, signal: forever });
    expect(waited).toEqual({ result: 'timeout' });
  });

  it('waiting for a deployment stops with its signal, and not before it has asked', async () => {
    const stop = new AbortController();
    const waiting = waitForDeployment(answering(at('acting')), 'd1', {
      timeoutMs: 600_000,
      signal: stop.signal,
      onAnswer: () => stop.abort(),
    });
    expect(await waiting).toEqual({ result: 'stopped' });
  });
});
