import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createExecutionMetrics } from '../../../src/rules/service/execution-metrics';

it('the impact of an execution replaces that of the one before it for its types, measure by measure', async () => {
  const registry = new Registry();
  const metrics = createExecutionMetrics(registry);
  metrics.impact(['placement', 'migration'], { cost: 2, replicas: 5 }, { cost: 2.5, replicas: 5 });
  metrics.impact(['placement'], { replicas: 6 }, { replicas: 7 });
  const text = await registry.getSingleMetricAsString('gate_rules_impact');
  const values = text.split('\n').filter((line) => line.startsWith('gate_rules_impact'));
  expect(values.sort()).toEqual([
    'gate_rules_impact{policy_type="migration",when="found",measure="cost"} 2.5',
    'gate_rules_impact{policy_type="migration",when="found",measure="replicas"} 5',
    'gate_rules_impact{policy_type="migration",when="predicted",measure="cost"} 2',
    'gate_rules_impact{policy_type="migration",when="predicted",measure="replicas"} 5',
    'gate_rules_impact{policy_type="placement",when="found",measure="replicas"} 7',
    'gate_rules_impact{policy_type="placement",when="predicted",measure="replicas"} 6',
  ]);
});
