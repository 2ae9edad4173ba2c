import type { PrometheusProviderConfig } from '../../../releases/config/release-config';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json';
import { promqlDurationMs } from '../../../platform/sources/promql-selectors';
import { checkBaseUrl } from '../../../platform/sources/url';
import type { FactTarget } from '../fact';
import type { ProviderDeps } from '../provider-kind';
import { createSource } from './source';

const NO_TARGET: FactTarget = { deploymentId: '', stage: '', stageIndex: 0, attributes: {}, stageAttributes: {} };

/**
 * The longest interval at which a Prometheus server scrapes the jobs that a query names with `job="…"`, or any job where it
 * names none (https://prometheus.io/docs/prometheus/latest/querying/api/#targets); undefined where it tells none.
 *
 * @returns milliseconds
 * @throws GateError when the server cannot be asked; Thanos and Mimir have no targets
 */
export async function scrapeIntervalMs(
  factId: string,
  config: PrometheusProviderConfig,
  deps: ProviderDeps,
  signal: AbortSignal,
): Promise<number | undefined> {
  const base = checkBaseUrl(config.base, `facts.${factId}.base`);
  const source = createSource(factId, config, {}, deps, {});
  const { body } = await source.ask(`${base}/api/v1/targets?state=active`, NO_TARGET, signal);
  const jobs = [...config.query.matchAll(/\bjob\s*=\s*(["'])([^"'{}\\]*)\1/g)].map(([, , job]) => job);
  const intervals = targetsOf(body)
    .filter(({ labels }) => jobs.length === 0 || (isJsonObject(labels) && jobs.includes(String(labels.job))))
    .map(({ scrapeInterval }) => promqlDurationMs(String(scrapeInterval)))
    .filter((ms) => ms > 0);
  return intervals.length === 0 ? undefined : Math.max(...intervals);
}

function targetsOf(body: JsonValue): JsonObject[] {
  const data = isJsonObject(body) ? body.data : undefined;
  const targets = isJsonObject(data) ? data.activeTargets : undefined;
  return Array.isArray(targets) ? targets.filter(isJsonObject) : [];
}
