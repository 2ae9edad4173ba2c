import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { BuiltPolicy } from '../../rego/toolchain/build-policy';
import { checkPolicy, type PolicyCheck } from '../../releases/authoring/check-policy';
import { sampleDocuments } from '../../releases/diff/sample-parameters';
import { defaultConfig } from '../../releases/sources/load-release-config';
import { tryRelease } from '../try-release';

/**
 * The bundle of the policy in `dir`, which `gate policy check` finds nothing wrong with, and which was loaded and evaluated
 * once. What only a configuration can tell is not looked at: limits and parameters are samples.
 *
 * @returns with what the check warns of
 * @throws GateError PolicyInvalid with every fault; for a policy that gives no decision on any sample it says with which input
 *   and parameters
 */
export async function buildChecked(dir: string): Promise<BuiltPolicy & Pick<PolicyCheck, 'warnings'>> {
  const { errors, warnings, bundle, bytes } = await checkPolicy(dir);
  if (errors.length > 0) throw faultsToError(errors);
  if (bundle === undefined || bytes === undefined)
    throw new GateError(FailureType.PolicyInvalid, `Expected a policy that can be built in ${dir}`);
  const ref = { policySha: bundle.sha, configRev: '', manifestVersion: 'build' };
  const { config } = defaultConfig();
  let refused: unknown;
  for (const configDocument of sampleDocuments(bundle)) {
    try {
      await tryRelease({ ref, policy: bundle, config, configDocument, loadedAtMs: Date.now() });
      return { bytes, bundle, warnings };
    } catch (error) {
      refused = withParameters(error, configDocument.parameters);
    }
  }
  throw refused;
}

function withParameters(error: unknown, parameters: JsonObject): unknown {
  if (!(error instanceof GateError) || Object.keys(parameters).length === 0) return error;
  const message = `${error.message}; tried with samples of its parameters, at last ${JSON.stringify(parameters)}: parameters.json describes which ones it takes`;
  return new GateError(error.type, message, undefined, { cause: error });
}
