import { CARRIED_VERSION } from '../../../src/gate/deployments/deployment-state';
import { workflowIdOf } from '../../../src/kernel/names';
import { FakeGateActivities } from '../../fakes/fake-gate-activities';
import { FakeStepActivities } from '../../fakes/fake-step-activities';
import { partsContract } from './parts.contract';

partsContract('the deployment', require.resolve('../../../src/workflows'), (id) => {
  const gate = new FakeGateActivities();
  gate.stages = { ...gate.stages, remindAfter: '100ms', remindAtMost: '1s' };
  const compensation = { method: 'DELETE', url: 'http://127.0.0.1:2/devices' } as const;
  const action = { type: 'http', method: 'PATCH', url: 'http://127.0.0.1:2/devices', compensation } as const;
  const spec = { id, stages: [{ name: 'canary', action }] };
  const carried = {
    version: CARRIED_VERSION + 1,
    handled: [],
    notes: [],
    stages: [],
    stageIndex: -1,
    leaseLapses: 0,
    shownAttributes: [],
  };
  const stale = { type: 'FactStale', message: 'Expected pending to be fresh', factId: 'pending' } as const;
  return {
    workflow: 'deployment',
    workflowId: workflowIdOf(id),
    activities: gate.activities(),
    args: (options) => [{ spec, ...options }],
    newerArgs: () => [{ spec, carried }],
    setTrouble: (on) => (gate.verdict = on ? { outcome: 'error', faults: [stale] } : { outcome: 'allow' }),
    setStoreDown: (down) => (gate.storeDown = down),
    hang: () => (gate.actionGate = async (cancelled) => void (await cancelled)),
    isHanging: () => gate.actions.length > 0,
    acted: () => gate.actions.length,
    takenBack: () => gate.compensations,
    alerts: () => gate.alerts,
    recheck: 'recheck',
    looks: () => gate.looks.length,
    records: () =>
      [...gate.records.values()].map(({ kind, actor, details }) => ({ kind, actor, count: details?.count })),
    expectedTakenBack: [`${id}/canary`],
  };
});

partsContract('a workflow of two steps', require.resolve('./two-steps'), (id) => {
  const steps = new FakeStepActivities();
  const carried = { version: 2, now: { state: 'acting', step: 0 }, handled: [], notes: [], shownAttributes: [] };
  return {
    workflow: 'twoSteps',
    workflowId: id,
    activities: steps.activities(),
    args: (options) => [options],
    newerArgs: () => [{ carried }],
    setTrouble: (on) => (steps.fails = on),
    setStoreDown: (down) => (steps.storeDown = down),
    hang: () => (steps.hangsAt = 'second'),
    isHanging: () => steps.acted.includes('second'),
    acted: () => steps.acted.length,
    takenBack: () => steps.undone,
    alerts: () => steps.alerts,
    recheck: 'look',
    looks: () => steps.looks,
    records: () => [...steps.records.values()],
    expectedTakenBack: ['second', 'first'],
  };
});
