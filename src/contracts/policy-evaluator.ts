import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../kernel/json';
import type { PolicyBundle } from '../rego/bundle/policy-bundle';
import type { EvaluatorRequest, PolicyEvaluator } from '../rego/evaluation/evaluate-policy';
import { rejection, type TestFramework } from './test-framework';

/** An evaluator under test. */
export interface EvaluatorUnderTest {
  evaluator: PolicyEvaluator;
  close(): Promise<void>;
}

const DECISION_TIME_MS = Date.parse('2026-11-01T12:00:00Z');
const FILES = {
  'gate.rego': `package gate

response := {"allow": count(deny_reasons) == 0, "deny_reasons": deny_reasons} if input.mode != "undefined"

deny_reasons contains sprintf("level limit exceeded: current %d > configured %d", [input.level, data.config.limits.max]) if {
	input.level > data.config.limits.max
}

deny_reasons contains sprintf("it is: %d", [time.now_ns()]) if input.mode == "clock"

members := {n | some n in numbers.range(1, 2000)}

deny_reasons contains "never: found" if {
	input.mode == "loop"
	some _ in members
	some _ in members
	some c in members
	c == input.level
}
`,
  'input.json': JSON.stringify({
    type: 'object',
    properties: { level: { type: 'integer' }, mode: { type: 'string' } },
    required: ['level', 'mode'],
    additionalProperties: false,
  }),
};

/** What every evaluator of policies keeps to. The policy is built with the `opa` of the machine. */
export function describePolicyEvaluator(
  { describe, it, beforeAll, afterAll, expect }: TestFramework,
  name: string,
  open: () => Promise<EvaluatorUnderTest>,
): void {
  describe(`policy evaluator contract on ${name}`, () => {
    let opened: EvaluatorUnderTest | undefined;
    let policy: PolicyBundle;
    beforeAll(async () => {
      policy = await build();
      opened = await open();
    });
    afterAll(async () => opened?.close());
    const evaluate = (input: JsonObject, over: Partial<EvaluatorRequest> = {}) =>
      opened!.evaluator.evaluate({
        policy,
        configDocument: { limits: { max: 10 } },
        configRev: 'c1',
        input,
        decisionTimeMs: DECISION_TIME_MS,
        deadlineMs: 60_000,
        ...over,
      });

    it('an evaluator gives the value of the entrypoint, and accounts for it', async () => {
      const { response, account, evalDurationNs } = await evaluate({ level: 3, mode: 'plain' });
      expect(response).toEqual({ allow: true, deny_reasons: [] });
      expect(account).toBeDefined();
      expect(account.notes).toBeUndefined();
      expect(evalDurationNs).toBeGreaterThan(0);
    });

    it('an evaluator reads the configuration of the request, and each of many at once its own', async () => {
      const answers = await Promise.all(
        [11, 12, 13].map((level) =>
          evaluate(
            { level, mode: 'plain' },
            { configDocument: { limits: { max: level - 1 } }, configRev: `c${level}` },
          ),
        ),
      );
      expect(answers.map(({ response }) => (response as { deny_reasons: string[] }).deny_reasons)).toEqual(
        [11, 12, 13].map((level) => [`level limit exceeded: current ${level} > configured ${level - 1}`]),
      );
    });

    it('an evaluator takes the time of the decision for the time', async () => {
      const { response } = await evaluate({ level: 3, mode: 'clock' });
      expect(response).toMatchObject({ deny_reasons: [`it is: ${DECISION_TIME_MS}000000`] });
    });

    it('an evaluator gives undefined where the entrypoint is', async () => {
      expect((await evaluate({ level: 3, mode: 'undefined' })).response).toBeUndefined();
    });

    it('an evaluator notes a value that was looked up and is absent', async () => {
      expect((await evaluate({ mode: 'plain' })).account.notes).toBeDefined();
    });

    it('an evaluator stops at the deadline, and answers the next request', async () => {
      const stopped = await rejection(evaluate({ level: -1, mode: 'loop' }, { deadlineMs: 300 }));
      expect(stopped).toMatchObject({ type: 'PolicyEvaluation' });
      expect((await evaluate({ level: 3, mode: 'plain' })).response).toMatchObject({ allow: true });
    });
  });
}

async function build(): Promise<PolicyBundle> {
  const { buildPolicy } = await import('../rego/toolchain/build-policy.js');
  const folder = await mkdtemp(join(tmpdir(), 'policy-evaluator-'));
  try {
    for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
    return (await buildPolicy(folder)).bundle;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
