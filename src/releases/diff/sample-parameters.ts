import { isJsonObject, type JsonObject } from '../../kernel/json';
import { schemaAt } from '../../rego/analysis/input-schema';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';
import { candidatesOf } from './candidates';

const SAMPLES = 6;
const MATERIAL = { numbers: [1], texts: ['sample'] };

/**
 * Values for the limits and parameters that a policy reads, for a policy that is tried without a configuration: numbers for
 * limits, and what `parameters.json` describes, or anything, for parameters. The same policy gives the same documents.
 *
 * @returns one document where the policy reads no parameters
 */
export function sampleDocuments({
  reads,
  parametersSchema = {},
}: Pick<PolicyBundle, 'reads' | 'parametersSchema'>): { limits: JsonObject; parameters: JsonObject }[] {
  const limits: JsonObject = {};
  for (const [first, ...keys] of reads.configPaths) if (first === 'limits' && keys.length > 0) put(limits, keys, 1);
  const domains = reads.configPaths
    .filter(([first, second]) => first === 'parameters' && second !== undefined)
    .map(([, ...keys]) => ({
      keys,
      values: candidatesOf(schemaAt(parametersSchema, keys) ?? {}, MATERIAL, parametersSchema),
    }));
  // A policy that reads them as a whole may walk them.
  const isWhole = reads.configPaths.some(([first, second]) => second === undefined && first !== 'limits');
  const wholes = isWhole
    ? candidatesOf({ ...parametersSchema, type: 'object' }, MATERIAL, parametersSchema).filter(isJsonObject)
    : [];
  return Array.from({ length: domains.length === 0 && wholes.length === 0 ? 1 : SAMPLES }, (_, at) => {
    const parameters: JsonObject = structuredClone(wholes[at % wholes.length] ?? {});
    for (const [place, { keys, values }] of domains.entries()) {
      const value = values[(at * (place + 1)) % values.length];
      if (value !== undefined) put(parameters, keys, structuredClone(value));
    }
    return { limits, parameters };
  });
}

/** A path may lead through a value that a shorter one has put there: then that one stays. */
function put(target: JsonObject, keys: readonly string[], value: JsonObject[string]): void {
  let inner = target;
  for (const key of keys.slice(0, -1)) {
    const next = (inner[key] ??= {});
    if (!isJsonObject(next)) return;
    inner = next;
  }
  inner[keys.at(-1)!] ??= value;
}
