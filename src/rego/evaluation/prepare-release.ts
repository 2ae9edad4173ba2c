import { FailureType, GateError } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { compileOnce } from '../compile-once';
import type { PolicyBundle } from '../bundle/policy-bundle';

/** A release in the form in which threads take it. */
export interface PreparedRelease {
  id: number;
  module: WebAssembly.Module;
  /** JSON of the bundle's data with the configuration under `config` */
  dataText: string;
  entrypoint: string;
  memoryMiB: number;
}

export type PrepareRelease = (
  policy: PolicyBundle,
  configDocument: JsonObject,
  memoryMiB: number,
) => PreparedRelease | Promise<PreparedRelease>;

/**
 * Compiles each bundle once, off the main thread. Prepared releases are known by their two objects, not by digests: a
 * caller that mixes up digests still gets the answer of exactly the bundle and the configuration that it passed.
 * Nothing is held longer than the caller holds them.
 *
 * @returns a function that answers at once for a release it knows, and throws GateError PolicyInvalid when the bundle's
 *   wasm is no module
 */
export function createPrepareRelease(): PrepareRelease {
  const releases = new WeakMap<PolicyBundle, WeakMap<JsonObject, Map<number, PreparedRelease>>>();
  let lastId = 0;

  const prepare = async (policy: PolicyBundle, configDocument: JsonObject, memoryMiB: number) => {
    const module = await compileOnce(policy.wasm).catch((cause: unknown) => {
      const message = `Expected policy.wasm to be a WebAssembly module: ${(cause as Error).message}`;
      throw new GateError(FailureType.PolicyInvalid, message, undefined, { cause });
    });
    const ofPolicy = getOrSet(releases, policy, () => new WeakMap<JsonObject, Map<number, PreparedRelease>>());
    const ofConfig = getOrSet(ofPolicy, configDocument, () => new Map<number, PreparedRelease>());
    return getOrSet(ofConfig, memoryMiB, () => ({
      id: ++lastId,
      module,
      dataText: JSON.stringify({ ...policy.data, config: configDocument }),
      entrypoint: policy.entrypoint,
      memoryMiB,
    }));
  };

  return (policy, configDocument, memoryMiB) =>
    releases.get(policy)?.get(configDocument)?.get(memoryMiB) ?? prepare(policy, configDocument, memoryMiB);
}

function getOrSet<K, V>(map: { get(key: K): V | undefined; set(key: K, value: V): unknown }, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
