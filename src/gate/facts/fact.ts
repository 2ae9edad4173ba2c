import type { JsonSchema, JsonValue, JsonObject } from '../../kernel/json';

/** One observed value. Times are epoch milliseconds, UTC. */
export interface Fact {
  id: string;
  /** of the type that `input.json` of the policy says */
  value: JsonValue;
  /** when it was true at the source */
  observedAtMs: number;
  /** when the answer came */
  collectedAtMs: number;
  /** where it came from: provider type and URL without secrets, for people and the audit record */
  source: string;
  /** the source had no data, and the configuration says what that means */
  isDefault?: true;
  /** why the source calls its answer partial, where the configuration takes such answers */
  warnings?: readonly string[];
}

/** What a fact is collected for. */
export interface FactTarget {
  deploymentId: string;
  stage: string;
  /** 0-based place of the stage in its deployment */
  stageIndex: number;
  /** of the deployment */
  attributes: JsonObject;
  /** of the stage */
  stageAttributes: JsonObject;
}

/** What a provider found. Without `observedAtMs` the fact counts as observed when the answer came. */
export interface Observation {
  value: JsonValue;
  /** epoch milliseconds; @default when the answer came */
  observedAtMs?: number;
  /** defaults to the provider's `source` */
  source?: string;
  /** stands in for data that the source does not have: observed at the decision time */
  isDefault?: true;
  /** the source's own words about an answer that is partial */
  warnings?: readonly string[];
}

/**
 * Collects exactly one fact. Implementations are thin: no caching, no retry, no age check (the collector does these for
 * all providers alike). Throws GateError of type FactSourceUnavailable (network, time-out, 5xx, 429) or FactInvalid
 * (the source answered another shape).
 */
export interface FactProvider {
  /** the name under `input` */
  readonly factId: string;
  /** for people */
  readonly description: string;
  /** JSON Schema of the value */
  readonly schema: JsonSchema;
  /** provider type and URL template without secrets */
  readonly source: string;
  /** always fresh (a value from the release's configuration): no age is checked, `observedAtMs` is the decision time */
  readonly alwaysFresh?: boolean;
  /** must stop its request when `signal` aborts */
  collect(target: FactTarget, signal: AbortSignal): Promise<Observation>;
}
