import type { JsonObject } from '../../kernel/json';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';
import type { NoVoteReason } from '../../rego/evaluation-account';
import { largeIntegersIn } from '../../rego/plan/large-integers';
import { possibleDoubts } from '../../rego/plan/possible-doubts';
import { parseJson } from '../../rego/values/parse-json';
import { fromPlain } from '../../rego/values/plain';
import { loadWasmPolicy } from '../../rego/wasm-policy';

/** Where the compiled module may have no vote on an allow, or never has one. */
export interface Voteless {
  /** `gate.rego:12` where it depends on the values at that line; else `policy.wasm`, `data` or `data.config`: then always */
  where: string;
  reason: NoVoteReason['reason'];
  /** why the module does not load */
  message?: string;
}

/** All places of a policy, first those that hold for every evaluation. Empty for a bundle without a plan. */
export async function voteless(policy: PolicyBundle, configDocument: JsonObject): Promise<Voteless[]> {
  const { plan, wasm, data, dataText = JSON.stringify(data) } = policy;
  if (plan === undefined) return [];
  const always: Voteless[] = [];
  const message = await loadingFault(wasm);
  if (message !== undefined) always.push({ where: 'policy.wasm', reason: 'no-module', message });
  if (largeIntegersIn(parseJson(dataText))) always.push({ where: 'data', reason: 'large-integer' });
  if (largeIntegersIn(fromPlain(configDocument))) always.push({ where: 'data.config', reason: 'large-integer' });
  return [
    ...always,
    ...possibleDoubts(plan).map(({ at, reason }): Voteless => ({ where: `${at.file}:${at.row}`, reason })),
  ];
}

/** For some policies OPA's compiler makes no valid module. @returns undefined where it loads */
async function loadingFault(wasm: Uint8Array): Promise<string | undefined> {
  try {
    await loadWasmPolicy(wasm);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
