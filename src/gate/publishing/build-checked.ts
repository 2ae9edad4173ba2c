import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import { isJsonObject, type JsonObject } from '../../kernel/json';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';
import type { BuiltPolicy } from '../../rego/toolchain/build-policy';
import { checkPolicy } from '../../releases/authoring/check-policy';
import { defaultConfig } from '../../releases/sources/load-release-config';
import { tryRelease } from '../try-release';

/**
 * The bundle of the policy in `dir`, which `gate policy check` finds nothing wrong with, and which was loaded and evaluated
 * once. What only a configuration can tell is not looked at.
 *
 * @throws GateError PolicyInvalid with every fault
 */
export async function buildChecked(dir: string): Promise<BuiltPolicy> {
  const { errors, bundle, bytes } = await checkPolicy(dir);
  if (errors.length > 0) throw faultsToError(errors);
  if (bundle === undefined || bytes === undefined)
    throw new GateError(FailureType.PolicyInvalid, `Expected a policy that can be built in ${dir}`);
  const ref = { policySha: bundle.sha, configRev: '', manifestVersion: 'build' };
  const { config } = defaultConfig();
  const configDocument = { limits: limitsOf(bundle), parameters: {} };
  try {
    await tryRelease({ ref, policy: bundle, config, configDocument, loadedAtMs: Date.now() });
  } catch (error) {
    // Parameters may be anything: whether there is an answer without them is not known here.
    if (!bundle.reads.configPaths.some(([first]) => first === 'parameters')) throw error;
  }
  return { bytes, bundle };
}

/** A number for each limit that the policy names. */
function limitsOf({ reads }: PolicyBundle): JsonObject {
  const limits: JsonObject = {};
  for (const [first, ...keys] of reads.configPaths) {
    const last = keys.pop();
    if (first !== 'limits' || last === undefined) continue;
    let inner = limits;
    for (const key of keys) {
      const next = inner[key];
      inner = isJsonObject(next) ? next : ((inner[key] = {}) as JsonObject);
    }
    inner[last] ??= 1;
  }
  return limits;
}
