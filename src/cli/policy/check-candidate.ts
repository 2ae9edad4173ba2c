import { FailureType, faultsToError, GateError, type Fault } from '../../kernel/failures';
import type { ReleaseManifest } from '../../releases/publishing/published-release';
import { CliExit, ExitCode } from '../io';
import { testSummary } from './test-summary';

/**
 * Loads a release as a worker would and evaluates it once: what workers would refuse is not published.
 *
 * @param options.folder of the policy's sources, where there are any: they are checked as `gate policy check` does, and OPA itself is
 *   asked what they decide on generated inputs
 * @throws GateError with every fault; CliExit 1 when policy and configuration are well, but not together
 */
export async function checkCandidate(
  manifest: ReleaseManifest,
  content: { policy: Uint8Array; config: Uint8Array },
  options: { folder?: string; allowWasmOnly?: boolean; allowStatic?: boolean } = {},
): Promise<void> {
  const { folder, allowWasmOnly = false, allowStatic = true } = options;
  const [
    { readBundle },
    { readReleaseConfig },
    { checkRelease },
    { missingPlan, staticFacts },
    { smokeRelease },
    { createEvaluator },
    { createMasks },
  ] = await Promise.all([
    import('../../rego/bundle/bundle.js'),
    import('../../releases/sources/load-release-config.js'),
    import('../../releases/check-release.js'),
    import('../../releases/check-plan.js'),
    import('../../releases/smoke-release.js'),
    import('../../rego/evaluation/evaluator.js'),
    import('../../gate/masking/create-masks.js'),
  ]);
  const [policy, loaded] = await Promise.allSettled([
    readBundle(content.policy),
    readReleaseConfig(content.config, manifest.config),
  ]);
  const faults = [policy, loaded].flatMap((part) => (part.status === 'rejected' ? faultsOf(part.reason) : []));
  if (policy.status === 'rejected' || loaded.status === 'rejected') throw faultsToError(faults);
  const { config, configDocument, configRev } = loaded.value;
  const missing = [
    ...missingPlan(policy.value, allowWasmOnly),
    ...(allowStatic ? [] : staticFacts(config)),
    ...checkRelease(policy.value, config, configDocument),
  ];
  if (missing.length === 0 && folder !== undefined) {
    const { checkPolicy } = await import('../../releases/authoring/check-policy.js');
    missing.push(...(await checkPolicy(folder, config, configDocument)).errors);
  }
  const ref = { policySha: policy.value.sha, configRev, manifestVersion: manifest.version };
  const release = { ref, policy: policy.value, config, configDocument, loadedAtMs: Date.now() };
  if (missing.length === 0 && folder !== undefined) {
    const { checkAgainstOpa } = await import('../../releases/authoring/check-against-opa.js');
    missing.push(...(await checkAgainstOpa(release)));
  }
  if (missing.length > 0) throw checkFailed(missing);
  const evaluator = createEvaluator({ threads: 1 });
  try {
    const evaluate: typeof evaluator.evaluate = (request) => evaluator.evaluate(request);
    await smokeRelease(release, evaluate);
    await createMasks({ settings: [], evaluate, onFailure: () => undefined }).check(release);
  } finally {
    await evaluator.close();
  }
}

/**
 * A policy folder's own tests, with their coverage.
 *
 * @throws CliExit 1 naming the tests that failed, or the lines that none covers
 */
export async function requireTests(folder: string, threshold: number): Promise<void> {
  const { testPolicy } = await import('../../rego/toolchain/test-policy.js');
  const result = await testPolicy(folder, { threshold });
  if (result.ok) return;
  const { summary, details } = testSummary(result, threshold);
  throw new CliExit(ExitCode.denied, `the policy's tests do not pass: ${[summary, ...details].join('\n  ')}`);
}

function checkFailed(faults: readonly Fault[]): CliExit {
  const lines = faults.map(({ type, where, message }) =>
    where === undefined || message.includes(where) ? `${type}: ${message}` : `${type}: ${where}: ${message}`,
  );
  return new CliExit(ExitCode.denied, `the release does not pass its check:\n  ${lines.join('\n  ')}`);
}

function faultsOf(error: unknown): readonly Fault[] {
  if (error instanceof GateError) return error.faults;
  const message = error instanceof Error ? error.message : String(error);
  return [{ type: FailureType.PolicyInvalid, message }];
}
