import { canonicalJson } from '../../kernel/canonical-json';
import { collecting, collectingNow } from '../../kernel/collect-faults';
import { sha256 } from '../../kernel/digest';
import { parseDuration } from '../../kernel/duration';
import { FailureType, faultsToError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { parseTime } from '../../kernel/time';
import { createHttpFetch } from '../../platform/http/http-client';
import { createPrometheusClient } from '../../platform/sources/prometheus-client';
import { promqlAges } from '../../platform/sources/promql-selectors';
import { requestJson } from '../../platform/sources/request-json';
import { checkBaseUrl, redactUrl } from '../../platform/sources/url';
import { withSignal } from '../../platform/timers/with-signal';
import type { SourcedState, StateSource } from '../../rules/execution/state-source';
import type { SettingsSecretDeps } from '../../platform/files/read-secret';
import type { StateMetrics } from '../../settings/settings';
import { NodeStatus } from '../state/cluster-state';
import { measureField, type MeasuredField, type Owner } from './measured-field';

export interface StateMetricsOptions {
  /** of the state, and so of a sample whose query has no other one */
  maxAgeMs: number;
  /** TLS files are relative to its folder, too */
  secrets: SettingsSecretDeps;
  /** epoch milliseconds @default Date.now */
  now?: () => number;
}

/** 100,000 shards with a few labels are about 15 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const PLACE = 'shards.state.prometheus';

/** What no number can stand for, or what only the manager or the file may say. */
const RESERVED: Readonly<Record<Kind, readonly string[]>> = {
  nodes: ['id', 'status', 'region', 'zone', 'labels', 'capacity'],
  shards: ['id', 'labels', 'replicas', 'placed_at', 'moved_at'],
  cluster: ['last_moved_at'],
};
const PREFIXES = { nodes: 'node', shards: 'shard', cluster: 'cluster' } as const;
type Kind = keyof typeof PREFIXES;
const KINDS: readonly Kind[] = ['nodes', 'shards', 'cluster'];

/** One query of the settings. */
interface Query extends MeasuredField {
  kind: Kind;
  key: string;
  query: string;
  timestampQuery: string | undefined;
  /** its age is judged alone, and not that of the state */
  hasOwnAge: boolean;
}

/**
 * What adds to a state the metrics that queries give. A series that is absent may be that of a node which is gone, or of an
 * exporter which is: so nodes, shards and replicas never come from it; the base says them. Each metric has one source: what the base says under the
 * name of a query does not count.
 *
 * `observed_at` becomes the oldest of the base's and of the samples whose query has no `maxAge` of its own. A base without a
 * version gets one of what it says, so that a state whose metrics alone have changed is the same state.
 *
 * @throws GateError ConfigInvalid with every fault of the settings. Reading throws what the base throws; FactSourceUnavailable,
 *   FactStale and FactInvalid with the faults of all queries
 */
export function openStateMetrics(
  settings: StateMetrics,
  { secrets, maxAgeMs, now = Date.now }: StateMetricsOptions,
): (base: StateSource) => StateSource {
  const queries = queriesOf(settings, maxAgeMs);
  const url = checked(settings, queries);
  const shown = `prometheus ${redactUrl(url)}`;
  const { headers, bearerToken, tls } = settings;
  const fetch = createHttpFetch({
    ...{ env: secrets.env, folder: secrets.configFolder, failure: FailureType.FactSourceUnavailable },
    ...(tls === undefined ? {} : { tls }),
  });

  async function measure(query: Query, document: JsonObject, atMs: number, signal: AbortSignal) {
    const asked = { subject: query.metric };
    const client = createPrometheusClient({
      ...{ asked, base: url, partialAdvice: '' },
      request: (address, either, explain) =>
        requestJson({
          ...{ ...asked, url: address, signal: either, fetch, maxBytes: MAX_ANSWER_BYTES, explain },
          ...{ deps: secrets },
          ...(headers === undefined ? {} : { headers }),
          ...(bearerToken === undefined ? {} : { bearerToken }),
        }),
    });
    const { series } = await client.instant(query.query, atMs, signal);
    const { label, timestampQuery } = query;
    // Where there is no series, the samples have no times either; what that means is not for their ages to say.
    const times =
      series.length === 0
        ? []
        : await client.sampleTimes(query.query, atMs, signal, {
            timestampQuery,
            ...(label === undefined ? {} : { by: label }),
          });
    return measureField(query, { series, times }, ownersOf(document, query.kind), now(), shown);
  }

  return (base) => ({
    async read(signal) {
      const sourced = await base.read(signal);
      const { document } = sourced;
      // What has no nodes is no state, and whoever reads it says so.
      if (!Array.isArray(document.nodes)) return sourced;
      const faults: Fault[] = [];
      const measured = new Map<Query, ReadonlyMap<string, number>>();
      let oldestMs = Infinity;
      const atMs = now();
      await withSignal({ timeoutMs: parseDuration(settings.timeout), signals: [signal] }, (either) =>
        Promise.all(
          queries.map((query) =>
            collecting(faults, async () => {
              const found = await measure(query, document, atMs, either);
              measured.set(query, found.values);
              faults.push(...found.faults);
              if (!query.hasOwnAge) oldestMs = Math.min(oldestMs, found.oldestMs ?? Infinity);
            }),
          ),
        ),
      );
      if (signal.aborted) throw signal.reason;
      if (faults.length > 0) throw faultsToError(faults);
      return withValues(sourced, measured, oldestMs, shown);
    },
  });
}

function queriesOf(settings: StateMetrics, maxAgeMs: number): Query[] {
  return KINDS.flatMap((kind) =>
    Object.entries(settings[kind]).map(([key, field]): Query => {
      const { query, timestampQuery, maxAge, onMissing } = field;
      const hasOwnAge = maxAge !== undefined;
      return {
        ...{ kind, key, query, timestampQuery, onMissing, hasOwnAge },
        metric: `${PREFIXES[kind]}.${key}`,
        label: 'label' in field ? (field.label as string) : undefined,
        maxAgeMs: hasOwnAge ? parseDuration(maxAge) : maxAgeMs,
      };
    }),
  );
}

/** The base URL, once everything that the settings say can work. */
function checked({ url }: StateMetrics, queries: readonly Query[]): string {
  const faults: Fault[] = [];
  const add = (where: string, message: string): void => {
    faults.push({ type: FailureType.ConfigInvalid, message, where });
  };
  let base = '';
  collectingNow(faults, () => void (base = checkBaseUrl(url, `${PLACE}.url`)));
  if (queries.length === 0) add(PLACE, `Expected ${PLACE} to have a query in nodes, shards or cluster, got none`);
  for (const { kind, key, query, timestampQuery } of queries) {
    const where = `${PLACE}.${kind}.${key}`;
    if (RESERVED[kind].includes(key)) {
      add(where, `Expected at ${PLACE}.${kind} fields that are numbers, got ${key}: the manager or the file says it`);
    }
    const { unclear } = timestampQuery === undefined ? promqlAges(query) : {};
    if (unclear !== undefined) {
      const text = `Expected ${where}.timestampQuery, a query for the times of the samples in epoch seconds such as timestamp(m): the age of ${query} cannot be worked out, because ${unclear}`;
      add(`${where}.timestampQuery`, text);
    }
  }
  if (faults.length > 0) throw faultsToError(faults);
  return base;
}

/** What has an id, at the index that it has in the document. */
function entriesOf(document: JsonObject, kind: Kind): (JsonObject & { id: string })[] {
  const listed = document[kind];
  const hasId = (one: JsonValue): one is JsonObject & { id: string } => isJsonObject(one) && typeof one.id === 'string';
  return Array.isArray(listed) ? listed.filter(hasId) : [];
}

function ownersOf(document: JsonObject, kind: Kind): Owner[] {
  if (kind === 'cluster') return [{ id: '', isExpected: true }];
  return entriesOf(document, kind).map(({ id, status }) => ({ id, isExpected: status !== NodeStatus.down }));
}

function withValues(
  { document, source, guardsVersion }: SourcedState,
  measured: ReadonlyMap<Query, ReadonlyMap<string, number>>,
  oldestMs: number,
  shown: string,
): SourcedState {
  const filled = (one: JsonObject, kind: Kind, id: string): JsonObject => {
    const whole = { ...one };
    for (const [query, values] of measured) {
      if (query.kind !== kind) continue;
      const value = values.get(id);
      if (value === undefined) delete whole[query.key];
      else whole[query.key] = value;
    }
    return whole;
  };
  const lists = (['nodes', 'shards'] as const).flatMap((kind): [string, JsonValue][] => {
    const listed = document[kind];
    if (!Array.isArray(listed)) return [];
    return [
      [kind, listed.map((one) => (isJsonObject(one) && typeof one.id === 'string' ? filled(one, kind, one.id) : one))],
    ];
  });
  const { cluster = {}, observed_at: observedAt, version } = document;
  const observedAtMs = parseTime(observedAt);
  const { observed_at: _observedAt, ...lasting } = document;
  return {
    document: {
      ...document,
      ...Object.fromEntries(lists),
      ...(isJsonObject(cluster) ? { cluster: filled(cluster, 'cluster', '') } : {}),
      // A base that does not say when it was observed stays one that does not.
      ...(observedAtMs !== undefined && oldestMs < observedAtMs
        ? { observed_at: new Date(oldestMs).toISOString() }
        : {}),
      ...(version === undefined ? { version: sha256(canonicalJson(lasting)) } : {}),
    },
    source: `${source} with metrics of ${shown}`,
    guardsVersion: guardsVersion && version !== undefined,
  };
}
