import { placedFaultText } from '../../kernel/fault-text';
import { FailureType, faultsToError, GateError, type Fault } from '../../kernel/failures';
import { idleMasks } from '../../rego/analysis/idle-masks';
import { readBundle } from '../../rego/bundle/bundle';
import { createEvaluator } from '../../rego/evaluation/evaluator';
import { checkAgainstOpa, type OpaComparison } from '../../releases/authoring/check-against-opa';
import { canAskOpa, type AskedInput } from '../../rego/toolchain/ask-opa';
import { checkPolicy } from '../../releases/authoring/check-policy';
import { missingPlan, staticFacts } from '../../releases/check-plan';
import { checkRelease } from '../../releases/check-release';
import type { ReleaseManifest } from '../../releases/publishing/published-release';
import { ReleaseRefusedError } from '../../releases/publishing/release-refused';
import { smokeRelease } from '../../releases/smoke-release';
import { readReleaseConfig } from '../../releases/sources/load-release-config';
import { createMasks } from '../masking/create-masks';

/**
 * Loads a release as a worker would and evaluates it once: what workers would refuse is not published.
 *
 * @param options.folder of the policy's sources, where there are any: they are checked as `gate policy check` does
 * @param options.recorded of decisions; where it is given, OPA itself is asked what the policy's Rego decides on them and on
 *   generated inputs
 * @param options.masks pointers of the settings: one that hides nothing under this policy is refused
 * @returns what was compared with OPA
 * @throws GateError with every fault; ReleaseRefusedError when policy and configuration are well, but not together
 */
export async function checkCandidate(
  manifest: ReleaseManifest,
  content: { policy: Uint8Array; config: Uint8Array },
  options: {
    folder?: string;
    recorded?: readonly AskedInput[];
    allowWasmOnly?: boolean;
    allowStatic?: boolean;
    masks?: readonly string[];
  } = {},
): Promise<Omit<OpaComparison, 'faults'> | undefined> {
  const { folder, recorded, allowWasmOnly = false, allowStatic = true, masks = [] } = options;
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
    ...idleMasks(masks, policy.value),
  ];
  if (missing.length === 0 && folder !== undefined)
    missing.push(...(await checkPolicy(folder, config, configDocument)).errors);
  const ref = { policySha: policy.value.sha, configRev, manifestVersion: manifest.version };
  const release = { ref, policy: policy.value, config, configDocument, loadedAtMs: Date.now() };
  const isAsked = recorded !== undefined && canAskOpa(policy.value);
  const compared = missing.length === 0 && isAsked ? await checkAgainstOpa(release, recorded) : undefined;
  missing.push(...(compared?.faults ?? []));
  if (missing.length > 0) throw checkFailed(missing);
  const evaluator = createEvaluator({ threads: 1 });
  try {
    const evaluate: typeof evaluator.evaluate = (request) => evaluator.evaluate(request);
    await smokeRelease(release, evaluate);
    await createMasks({ settings: [], evaluate, onFailure: () => undefined }).check(release);
  } finally {
    await evaluator.close();
  }
  return compared && { generated: compared.generated, recorded: compared.recorded };
}

function checkFailed(faults: readonly Fault[]): ReleaseRefusedError {
  const lines = faults.map(placedFaultText);
  return new ReleaseRefusedError(`the release does not pass its check:\n  ${lines.join('\n  ')}`);
}

function faultsOf(error: unknown): readonly Fault[] {
  if (error instanceof GateError) return error.faults;
  const message = error instanceof Error ? error.message : String(error);
  return [{ type: FailureType.PolicyInvalid, message }];
}
