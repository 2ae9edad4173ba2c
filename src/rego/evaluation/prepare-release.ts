import { FailureType, GateError } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { writeDocument } from '../values/json';
import { compileOnce } from '../compile-once';
import type { PolicyBundle } from '../bundle/policy-bundle';
import type { SecondOpinionSetting } from '../evaluation-account';
import type { RunnablePolicy } from './runnable-policy';

/** A release in the form in which threads take it. */
export interface PreparedRelease extends RunnablePolicy {
  id: number;
}

export interface ReleaseOptions {
  memoryMiB: number;
  secondOpinion: SecondOpinionSetting;
}

export type PrepareRelease = (
  policy: PolicyBundle,
  configDocument: JsonObject,
  options: ReleaseOptions,
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
  const releases = new WeakMap<PolicyBundle, WeakMap<JsonObject, Map<string, PreparedRelease>>>();
  let lastId = 0;

  const prepare = async (policy: PolicyBundle, configDocument: JsonObject, options: ReleaseOptions) => {
    const runnable = await toRunnable(policy, configDocument, options);
    const ofPolicy = getOrSet(releases, policy, () => new WeakMap<JsonObject, Map<string, PreparedRelease>>());
    const ofConfig = getOrSet(ofPolicy, configDocument, () => new Map<string, PreparedRelease>());
    return getOrSet(ofConfig, keyOf(options), () => ({ id: ++lastId, ...runnable }));
  };

  return (policy, configDocument, options) =>
    releases.get(policy)?.get(configDocument)?.get(keyOf(options)) ?? prepare(policy, configDocument, options);
}

const keyOf = ({ memoryMiB, secondOpinion }: ReleaseOptions): string => `${memoryMiB} ${secondOpinion}`;

/**
 * A policy as evaluators take it. For some policies the compiler makes no valid module; where there is a plan, that only
 * means that there is no second opinion.
 *
 * @throws GateError PolicyInvalid where there is neither a plan nor a valid module
 */
export async function toRunnable(
  policy: PolicyBundle,
  configDocument: JsonObject,
  options: ReleaseOptions,
): Promise<RunnablePolicy> {
  const { plan, inputSchema, sources, entrypoint } = policy;
  const compiled = await compileOnce(policy.wasm).then(
    (module) => ({ module }),
    (cause: unknown) => {
      const message = `Expected policy.wasm to be a WebAssembly module: ${(cause as Error).message}`;
      if (plan === undefined) throw new GateError(FailureType.PolicyInvalid, message, undefined, { cause });
      return { noModule: message };
    },
  );
  return {
    ...compiled,
    ...(plan === undefined ? {} : { planText: plan }),
    dataText: dataWithConfig(policy, configDocument),
    entrypoint,
    ...options,
    inputSchema,
    ...(policy.declarations === undefined ? {} : { declarations: policy.declarations.rules }),
    packages: Object.values(sources).flatMap(packageOf),
  };
}

/** The bundle's own text with the configuration put in: parsed and written again, a number of it could be another. */
function dataWithConfig({ data, dataText = writeDocument(data) }: PolicyBundle, configDocument: JsonObject): string {
  const own = dataText.trim().slice(1, -1).trim();
  return `{"config":${writeDocument(configDocument)}${own === '' ? '' : `,${own}`}}`;
}

/** Of Rego source: `package a.b["c d"]`. */
function packageOf(source: string): string[][] {
  const path = /^[ \t]*package[ \t]+([^\s#]+)/m.exec(source)?.[1];
  if (path === undefined) return [];
  return [[...path.matchAll(/([A-Za-z_]\w*)|\["([^"]*)"\]/g)].map(([, name, quoted]) => name ?? quoted!)];
}

function getOrSet<K, V>(map: { get(key: K): V | undefined; set(key: K, value: V): unknown }, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
