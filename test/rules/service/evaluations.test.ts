import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { createRuleService } from '../../../src/rules/service/create-rule-service';
import { aDocument, NOW, openService, type ServiceHarness } from './service-harness';

const ann = { actor: 'ann' };
const reason = 'as discussed';
const STATE: JsonObject = {
  lorries: [{ id: 'l1', free: 5 }, { id: 'l2', free: 1 }, { id: 'l3' }],
  parcels: [{ id: 'p1' }, { id: 'p2', labels: { tier: 'gold' } }],
};

describe('evaluations of rule policies', () => {
  let harness: ServiceHarness;
  beforeAll(async () => {
    harness = await openService();
    for (const document of [
      aDocument('roomy'),
      aDocument('gold', {
        priority: 20,
        scope: { labels: { tier: 'gold' } },
        actions: { load: { lane: 1, note: 'g' } },
      }),
      aDocument('quiet', { conditions: { metric: 'depot.queue', operator: 'lt', value: 3 } }),
    ]) {
      await harness.service.create(ann, { document, reason });
    }
  });
  afterAll(() => harness?.close());

  const outcomes = ({ answer }: { answer: JsonObject }) =>
    (answer.results as JsonObject[]).map(({ policy, parcel, outcome }) =>
      [policy, parcel, outcome].filter((told) => told !== undefined).join(' '),
    );

  it('all policies of an operation are evaluated over a state, with their revisions', async () => {
    const evaluation = await harness.service.evaluate(ann, { operation: 'load_parcel', state: STATE });
    expect(outcomes(evaluation)).toEqual(['quiet unknown', 'roomy true', 'gold p2 true']);
    expect(evaluation).toMatchObject({ setRevision: 3, decidedAt: NOW });
    expect(evaluation.stateDigest).toMatch(/^[0-9a-f]{64}$/);
    const { items } = await harness.service.list({});
    const pins = items.map(({ id, name, type, revision }) => ({ policyId: id, name, type, revision }));
    expect([...evaluation.policies].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(pins);
  });

  it('named policies alone are evaluated, for one subject, or only those that hold', async () => {
    const { service } = harness;
    const named = await service.evaluate(ann, { policies: ['gold'], subject: 'p2', state: STATE });
    expect(outcomes(named)).toEqual(['gold p2 true']);
    const holding = await service.evaluate(ann, { operation: 'load_parcel', onlyMatched: true, state: STATE });
    expect(outcomes(holding)).toEqual(['roomy true', 'gold p2 true']);
  });

  it('a change is in force for the next evaluation, also one by another server over the same store', async () => {
    const { service, parts } = harness;
    const second = createRuleService(parts);
    const policy = await service.create(ann, {
      document: aDocument('late', { conditions: { metric: 'lorry.free', operator: 'lt', value: 2 } }),
      reason,
    });
    const question = { policies: ['late'], state: STATE };
    expect(outcomes(await second.evaluate(ann, question))).toEqual(['late true']);
    await second.update(ann, {
      policy: { id: policy.id },
      document: aDocument('late', { conditions: { metric: 'lorry.free', operator: 'gt', value: 9 } }),
      revision: 1,
      reason,
    });
    const after = await service.evaluate(ann, question);
    expect(outcomes(after)).toEqual(['late unknown']);
    expect(after.policies).toMatchObject([{ name: 'late', revision: 2 }]);
    await service.delete(ann, { policy: { id: policy.id }, revision: 2, reason });
    await expect(service.evaluate(ann, question)).rejects.toMatchObject({
      type: 'RuleNotFound',
      message: 'No policy that can be evaluated is named late',
    });
  });

  it('an evaluation that is to be recorded is in the audit log before it is answered, one record a policy', async () => {
    const { service } = harness;
    const { id } = await service.get({ name: 'roomy' });
    const recorded = await service.evaluate(ann, { policies: ['roomy'], state: STATE, record: true, reason: 'drill' });
    const records = (await harness.recordsOf(id)).filter(({ kind }) => kind === 'evaluated');
    expect(records).toMatchObject([
      {
        actor: 'ann',
        reason: 'drill',
        details: { name: 'roomy', revision: 1, stateDigest: recorded.stateDigest, results: [{ outcome: 'true' }] },
      },
    ]);
    const { items } = await service.events({ id });
    expect(items.find(({ eventType }) => eventType === 'evaluated')).toMatchObject({ result: 'true' });
    await service.evaluate(ann, { policies: ['roomy'], state: STATE });
    expect((await harness.recordsOf(id)).filter(({ kind }) => kind === 'evaluated')).toHaveLength(1);
    expect(harness.logged).toContain('Rule policies were evaluated');

    harness.outage.isOn = true;
    const refused = service.evaluate(ann, { policies: ['roomy'], state: STATE, record: true });
    await expect(refused).rejects.toMatchObject({ type: 'AuditWriteFailed' });
    harness.outage.isOn = false;
    const failed = service.evaluate(ann, { policies: ['roomy'], state: { lorries: 7 }, record: true });
    await expect(failed).rejects.toMatchObject({ type: 'ConfigInvalid' });
    expect(await harness.recordsOf('roomy')).toMatchObject([{ kind: 'evaluated', errorDetails: [{}, {}] }]);
  });

  it.each([
    [{ state: STATE }, 'Expected an operation, or the names of policies, got neither'],
    [{ operation: 'fly', state: STATE }, 'operation: expected one of load_parcel, got "fly"'],
    [{ policies: ['roomy', 'nobody'], state: STATE }, 'No policy that can be evaluated is named nobody'],
    [{ operation: 'load_parcel', state: {} }, 'the key lorries, but it is missing'],
  ])('the question %j is refused', async (question, sentence) => {
    await expect(harness.service.evaluate(ann, question as never)).rejects.toThrow(sentence);
  });

  it('results, conditions and errors are counted by type of policy', async () => {
    const metrics = await harness.registry.metrics();
    expect(metrics).toMatch(/gate_rules_evaluations_total\{policy_type="loading",result="true"\} \d+/);
    expect(metrics).toMatch(/gate_rules_evaluations_total\{policy_type="loading",result="unknown"\} \d+/);
    expect(metrics).toMatch(/gate_rules_evaluations_total\{policy_type="",result="error"\} \d+/);
    expect(metrics).toMatch(/gate_rules_conditions_total\{policy_type="loading",outcome="true"\} \d+/);
    expect(metrics).toMatch(/gate_rules_evaluation_seconds_count \d+/);
  });

  it('a simulation reads documents that are tried beside those of the store', async () => {
    const { service } = harness;
    const question = { operation: 'load_parcel', state: STATE, options: { without: ['l1'] } };
    expect(await service.simulate(question)).toEqual({ before: 3, after: 3, options: { without: ['l1'] } });
    const documents = [aDocument('roomy', { priority: 1 }), aDocument('tried')];
    expect(await service.simulate({ ...question, documents })).toMatchObject({ before: 3, after: 4 });
    const broken = service.simulate({ ...question, documents: [{ name: 'broken' }] });
    await expect(broken).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringContaining('documents[0]'),
    });
  });

  it('an evaluation that loops, or needs too much memory, ends as an error, and the next one is answered', async () => {
    const { service } = harness;
    for (const [name, why] of [
      ['loops', 'ran longer than 2000 ms and was stopped'],
      ['eats', 'it needed more than 64 MiB and was stopped'],
    ] as const) {
      const document = aDocument(name, { conditions: { function: name } });
      await service.create(ann, { document, reason });
      const asked = service.evaluate(ann, { policies: [name], state: STATE });
      await expect(asked).rejects.toMatchObject({ type: 'PolicyEvaluation', message: expect.stringContaining(why) });
      expect(outcomes(await service.evaluate(ann, { policies: ['roomy'], state: STATE }))).toEqual(['roomy true']);
    }
  }, 60_000);
});
