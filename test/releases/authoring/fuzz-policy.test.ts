import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import type { PolicyBundle } from '../../../src/rego/bundle/policy-bundle';
import { createTracer } from '../../../src/rego/evaluation/trace';
import { buildPolicy } from '../../../src/rego/toolchain/build-policy';
import { createInputCheck } from '../../../src/gate/decisions/check-input';
import { fuzzPolicy, type FuzzOptions } from '../../../src/releases/authoring/fuzz-policy';
import type { Release } from '../../../src/releases/release';
import { gate, schemaOf, withPolicy } from '../../rego/toolchain/policy-fixture';

const LIMITS = { limits: { maxDelta: 500, maxPending: 2000 }, parameters: {} };
const releaseOf = (policy: PolicyBundle, configDocument: JsonObject = LIMITS): Release =>
  ({
    ref: {},
    policy,
    config: { facts: {} },
    configDocument,
    loadedAtMs: Date.UTC(2026, 0, 1),
  }) as unknown as Release;

const SHIPPED = join(__dirname, '../../../policy');
const fuzz = (release: Release, more: Partial<FuzzOptions> = {}): ReturnType<typeof fuzzPolicy> =>
  fuzzPolicy(release, {
    durationMs: 30_000,
    faultsUnder: (configDocument) => createInputCheck(release.policy, configDocument),
    ...more,
  });

describe('fuzzPolicy', () => {
  it('the shipped policy allows nothing from which a value was taken', async () => {
    const { bundle } = await buildPolicy(SHIPPED);
    const result = await fuzz(releaseOf(bundle));
    expect(result).toMatchObject({ declared: 0, findings: [] });
    expect(result.allowedInputs).toBeGreaterThan(0);
    expect(result.tried).toBeGreaterThan(result.allowedInputs);
  });

  it('an evaluator that notes nothing, as OPA alone, is found to allow without a fact and without a limit', async () => {
    const { bundle } = await buildPolicy(SHIPPED);
    const { findings } = await fuzz(releaseOf(bundle), {
      tracerFor: async (policy, config) => {
        const trace = await createTracer(policy, config);
        return (input, timeMs) => ({ ...trace!(input, timeMs), hasNotes: false, account: { ...NOTHING } });
      },
    });
    expect(findings.map(({ path, change }) => `${path} ${change}`)).toEqual(
      expect.arrayContaining(['input.pending_delta removed', 'data.config.limits.maxDelta removed']),
    );
  });

  it('a value of a type that its schema forbids is allowed nowhere, and is where nothing checks types', async () => {
    const condition = 'not input.fleet.ready';
    const more = [
      'deny_reasons contains "kind" if input.deployment.attributes.kind == "bad"',
      'deny_reasons contains "size" if input.deployment.stage_attributes.size > 3',
      'deny_reasons contains "mode" if data.config.parameters.mode == "off"',
      'deny_reasons contains "delta" if data.config.limits.maxDelta < 1',
    ].join('\n\n');
    const files = {
      'gate.rego': gate(condition, more),
      'input.json': schemaOf({ fleet: { type: 'object', properties: { ready: { type: 'boolean' } } } }),
      'attributes.json': schemaOf({ kind: { type: 'string' } }, {}),
      'stage_attributes.json': schemaOf({ size: { type: 'integer' } }, {}),
      'parameters.json': schemaOf({ mode: { type: 'string' } }, {}),
    };
    const { bundle } = await withPolicy(files, (dir) => buildPolicy(dir));
    const release = releaseOf(bundle, { limits: { maxDelta: 500 }, parameters: { mode: 'on' } });
    expect((await fuzz(release)).findings).toEqual([]);

    const { findings } = await fuzz(release, { faultsUnder: () => () => [] });
    expect(findings.map(({ path, change, to }) => [path, change, to])).toEqual(
      expect.arrayContaining([['input.fleet.ready', 'type', 'other']]),
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
    const result = await fuzz(releaseOf(bundle));
    expect(result.findings).toEqual([]);
    expect(result.declared).toBeGreaterThan(0);
  });
});

const NOTHING = { evaluator: 'plan', secondOpinion: { vote: 'not-asked' } } as const;
