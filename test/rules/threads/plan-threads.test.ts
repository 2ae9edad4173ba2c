import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readPolicies } from '../../../src/rules/document/read-policies';
import { answerRules } from '../../../src/rules/evaluation/answer';
import { findOutcome, makePlan, type PlanParts } from '../../../src/rules/execution/make-plan';
import { createPlanThreads } from '../../../src/rules/threads/plan-threads';
import { PARCELS } from '../parcels';

const loops = { name: 'loops', description: 'never ends', argumentFaults: () => [], evaluate: () => true };
const domain = { ...PARCELS, functions: new Map([...PARCELS.functions, ['loops', loops] as const]) };
const parts: PlanParts = {
  domain,
  answer: (policies, state, question) => answerRules(policies, state, domain, { ...question, scores: false }),
};
const NOW_MS = Date.parse('2026-11-26T10:00:10Z');
const STATE = {
  document: { lorries: [{ id: 'l1', free: 5 }], parcels: [{ id: 'p1' }, { id: 'p2' }] },
  source: 'yard.json',
  guardsVersion: false,
};

function inForce(name: string, conditions: object) {
  const document = { name, type: 'loading', conditions, actions: { load: { lane: 1 } } } as never;
  const { policies } = readPolicies([{ where: { file: 'rules.json' }, document }], domain);
  const pin = { policyId: `id of ${name}`, name, type: 'loading', revision: 1 };
  return { policies, setRevision: 1, pins: new Map([[name, pin]]) };
}
const ROOMY = inForce('roomy', {
  all: [
    { metric: 'lorry.free', operator: 'gt', value: 2 },
    { metric: 'parcel.id', operator: 'exists' },
  ],
});

describe('plans that are made in threads', () => {
  const planner = createPlanThreads({
    entry: join(__dirname, 'parcels-thread-entry'),
    deadlineMs: 3_000,
    memoryMiB: 64,
    threads: 1,
    timeoutMsOf: ({ settings }) => (settings.parcel === 'p1' ? 7 : undefined),
  });
  afterAll(() => planner.close());
  const asked = { question: { operation: 'load_parcel' }, policies: ROOMY, state: STATE, nowMs: NOW_MS };

  it('are those that are made in place, with the times of their steps', async () => {
    const plan = makePlan(asked.question, ROOMY, STATE, parts, { nowMs: NOW_MS, maxAgeMs: 1_000 });
    expect(plan.steps).toHaveLength(2);
    const steps = plan.steps.map((step) => (step.settings.parcel === 'p1' ? { ...step, timeoutMs: 7 } : step));
    expect(await planner.plan({ ...asked, maxAgeMs: 1_000 })).toEqual({ ...plan, steps });
  });

  it('have the outcome that is found in place, or none for a state that is no newer', async () => {
    const times = { nowMs: NOW_MS, plannedOnMs: NOW_MS - 1 };
    const outcome = findOutcome(asked.question, ROOMY, STATE, parts, times);
    expect(outcome).toEqual({ unmet: { roomy: 2 } });
    expect(await planner.outcome({ ...asked, plannedOnMs: NOW_MS - 1 })).toEqual(outcome);
    expect(await planner.outcome({ ...asked, plannedOnMs: NOW_MS })).toBeUndefined();
  });

  it('fail with the fault of the question', async () => {
    const unknown = { ...asked, question: { policies: ['gone'] }, maxAgeMs: 1_000 };
    await expect(planner.plan(unknown)).rejects.toMatchObject({
      ...{ type: 'ConfigInvalid', message: expect.stringContaining('got gone') },
    });
  });

  it('are given up when an evaluation never ends, and the next one is made', async () => {
    const endless = { ...asked, policies: inForce('endless', { function: 'loops' }), maxAgeMs: 1_000 };
    await expect(planner.plan(endless)).rejects.toMatchObject({
      ...{ type: 'PolicyEvaluation', message: expect.stringContaining('ran longer than 3000 ms and was stopped') },
    });
    expect((await planner.plan({ ...asked, maxAgeMs: 1_000 })).steps).toHaveLength(2);
  });
});
