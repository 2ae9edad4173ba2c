import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import { createTracer } from '../../../src/rego/evaluation/trace';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { fuzzPolicy } from '../../../src/releases/authoring/fuzz-policy';
import type { Release } from '../../../src/releases/release';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';

const releaseOf = (policy: PolicyBundle): Release =>
  ({
    ref: {},
    policy,
    config: {},
    configDocument: { limits: { maxDelta: 500, maxPending: 2000 }, parameters: {} },
    loadedAtMs: Date.UTC(2026, 0, 1),
  }) as unknown as Release;

const SHIPPED = join(__dirname, '../../../policy');
const ENOUGH = { durationMs: 30_000 };

describe('fuzzPolicy', () => {
  it('the shipped policy allows nothing from which a value was taken', async () => {
    const { bundle } = await buildPolicy(SHIPPED);
    const result = await fuzzPolicy(releaseOf(bundle), ENOUGH);
    expect(result).toMatchObject({ declared: 0, findings: [] });
    expect(result.allowedInputs).toBeGreaterThan(0);
    expect(result.tried).toBeGreaterThan(result.allowedInputs);
  });

  it('an evaluator that notes nothing, as OPA alone, is found to allow without a fact and without a limit', async () => {
    const { bundle } = await buildPolicy(SHIPPED);
    const { findings } = await fuzzPolicy(releaseOf(bundle), ENOUGH, async (policy, config) => {
      const trace = await createTracer(policy, config);
      return (input, timeMs) => ({ ...trace!(input, timeMs), hasNotes: false, account: { ...NOTHING } });
    });
    expect(findings.map(({ path, change }) => `${path} ${change}`)).toEqual(
      expect.arrayContaining(['input.pending_delta removed', 'data.config.limits.maxDelta removed']),
    );
  });

  it('a path that the policy declares optional is counted and no finding', async () => {
    const more =
      '# METADATA\n# custom:\n#   gate: {optional: ["input.fleet.note"]}\ndeny_reasons contains "note: bad" if input.fleet.note == "bad"';
    const schema = {
      fleet: { type: 'object', properties: { note: { type: 'string' }, pending: { type: 'integer' } } },
    };
    const files = { 'gate.rego': gate('input.fleet.pending > 5', more), 'input.json': schemaOf(schema) };
    const { bundle } = await withPolicy(files, (dir) => buildPolicy(dir));
    const result = await fuzzPolicy(releaseOf(bundle), ENOUGH);
    expect(result.findings).toEqual([]);
    expect(result.declared).toBeGreaterThan(0);
  });
});

const NOTHING = { evaluator: 'plan', secondOpinion: { vote: 'not-asked' } } as const;
