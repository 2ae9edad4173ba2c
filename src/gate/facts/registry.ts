import type { ProviderConfig } from '../../releases/config/release-config';
import { DEFAULT_DURATIONS, parseDuration } from '../../kernel/duration';
import { faultsToError, FailureType, GateError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonSchema } from '../../kernel/json';
import { RESERVED_INPUT_KEYS } from '../../kernel/names';
import type { FactProvider } from './fact';
import type { ProviderDeps, ProviderKind } from './provider-kind';

/** A provider with what the collector needs to know of it. */
export interface RegisteredProvider {
  provider: FactProvider;
  /** for metrics */
  type: string;
  /** identity of its configuration: a value cached under one is never served under another */
  configKey: string;
  /** how long an answer is served from the cache */
  ttlMs: number;
  /** an older fact is stale */
  maxAgeMs: number;
  /** of one request */
  timeoutMs: number;
}

/** Providers by fact id. */
export type FactRegistry = ReadonlyMap<string, RegisteredProvider>;

/** Throws GateError ConfigInvalid that names every id registered twice and every reserved one. */
export function createFactRegistry(entries: readonly RegisteredProvider[]): FactRegistry {
  const registry = new Map<string, RegisteredProvider>();
  const faults: Fault[] = [];
  for (const entry of entries) {
    const { factId, source } = entry.provider;
    const other = registry.get(factId);
    if (other !== undefined) {
      faults.push(
        fault(factId, `Expected one provider for fact ${factId}, got ${other.provider.source} and ${source}`),
      );
    } else if ((RESERVED_INPUT_KEYS as readonly string[]).includes(factId)) {
      faults.push(fault(factId, `Expected another name for the fact ${factId}: the policy's input uses it`));
    } else registry.set(factId, entry);
  }
  if (faults.length > 0) throw faultsToError(faults);
  return registry;
}

/**
 * The registry of a release's configuration, with `extra` providers of the caller's own beside it.
 * Throws GateError ConfigInvalid that holds all faults of all providers.
 */
export async function registryFromConfig(options: {
  facts: Readonly<Record<string, ProviderConfig>>;
  /** the policy's `input.json`; the schema of each fact is its property */
  inputSchema: JsonSchema;
  kinds: readonly ProviderKind[];
  deps: ProviderDeps;
  extra?: readonly RegisteredProvider[];
}): Promise<FactRegistry> {
  const entries: RegisteredProvider[] = [];
  const faults: Fault[] = [];
  for (const [factId, config] of Object.entries(options.facts)) {
    const kind = options.kinds.find((candidate) => candidate.type === config.type);
    if (kind === undefined) {
      faults.push(fault(factId, `Expected facts.${factId}.type to be a known provider, got '${config.type}'`));
      continue;
    }
    try {
      const provider = await kind.create(factId, config, factSchema(options.inputSchema, factId), options.deps);
      entries.push({ provider, type: config.type, configKey: JSON.stringify([factId, config]), ...timesOf(config) });
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      faults.push(...error.faults.map((found) => ({ factId, ...found })));
    }
  }
  try {
    const registry = createFactRegistry([...entries, ...(options.extra ?? [])]);
    if (faults.length === 0) return registry;
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    faults.push(...error.faults);
  }
  throw faultsToError(faults);
}

/** The schema of one fact in `input.json`, with the definitions that it may refer to; `{}` when it has none. */
export function factSchema(inputSchema: JsonSchema, factId: string): JsonSchema {
  const { properties, $defs, definitions } = inputSchema;
  const own = isJsonObject(properties) && Object.hasOwn(properties, factId) ? properties[factId] : undefined;
  if (!isJsonObject(own)) return {};
  return { ...own, ...($defs === undefined ? {} : { $defs }), ...(definitions === undefined ? {} : { definitions }) };
}

/** The maximum ages in force for facts, as their configuration says, in milliseconds; one that is always fresh has none. */
export function maxAgesOf(facts: Readonly<Record<string, ProviderConfig>>): Record<string, number> {
  const aged = Object.entries(facts).filter(
    ([, config]) => config.type !== 'config' && !(config.type === 'static' && config.age === undefined),
  );
  return Object.fromEntries(aged.map(([factId, config]) => [factId, timesOf(config).maxAgeMs]));
}

function timesOf(config: ProviderConfig): { ttlMs: number; maxAgeMs: number; timeoutMs: number } {
  const { factTtl: ttl, factMaxAge: maxAge, factTimeout: timeout } = DEFAULT_DURATIONS;
  const given = { ttl, maxAge, timeout, ...config };
  return {
    // what is written in the configuration costs nothing to read again
    ttlMs: config.type === 'static' ? 0 : parseDuration(given.ttl),
    maxAgeMs: parseDuration(given.maxAge),
    timeoutMs: parseDuration(given.timeout),
  };
}

function fault(factId: string, message: string): Fault {
  return { type: FailureType.ConfigInvalid, message, factId, where: `facts.${factId}` };
}
