import { messageOf } from '../../kernel/message-of';
import { BoundedMap } from '../../kernel/bounded-map';
import { fittingTexts, LIMITS } from '../../kernel/limits';
import { shortText } from '../../kernel/short-text';
import { FailureType, GateError, type Fault } from '../../kernel/failures';
import type { Clock, Timers } from '../../kernel/timers';
import type { Fact, FactTarget } from './fact';
import { noFactMetrics, type FactMetrics } from './fact-metrics';
import { sizeFault } from './fact-size';
import { valueFault } from './fact-value';
import type { FactRegistry, RegisteredProvider } from './registry';
import { createSourceCaller, type CircuitBreakerOptions } from './source-caller';

export interface CollectRequest {
  providers: FactRegistry;
  factIds: readonly string[];
  target: FactTarget;
  /** how far a fact's time may lie in the future */
  allowedClockSkewMs: number;
  circuitBreaker: CircuitBreakerOptions;
  /** of a fact's value as JSON; @default `LIMITS.factBytes` */
  maxFactBytes?: number;
  /** asks every source again, whatever the cache holds */
  bypassCache?: boolean;
}

export interface CollectResult {
  /** what could be had, ordered by id; stale facts and those from the future among them as found */
  facts: Fact[];
  /** everything that is wrong, ordered by fact id; empty when the snapshot may be used */
  faults: Fault[];
  /** epoch milliseconds: the moment the last fact was in; the ages were judged against it */
  completedAtMs: number;
}

export interface FactCollector {
  /** Never rejects for what a source does: that is in `faults`. */
  collect(request: CollectRequest): Promise<CollectResult>;
}

export interface FactCollectorOptions {
  clock: Clock;
  timers: Timers;
  metrics?: FactMetrics;
  /** cached facts kept, the least recently used goes first @default 10000 */
  maxCachedFacts?: number;
}

type Outcome = { fact: Fact; cached: boolean } | { fault: Fault };

/** One collector serves the whole process, so that many callers share its cache, its requests and its breakers. */
export function createFactCollector(options: FactCollectorOptions): FactCollector {
  const { clock, timers, metrics = noFactMetrics, maxCachedFacts = 10_000 } = options;
  const cache = new BoundedMap<string, Fact>(maxCachedFacts);
  const inFlight = new Map<string, Promise<Fact>>();
  const callSource = createSourceCaller(timers);

  async function fetchFact(entry: RegisteredProvider, key: string, request: CollectRequest): Promise<Fact> {
    const { provider, type, timeoutMs } = entry;
    const startedAtMs = clock.now();
    let observation;
    try {
      observation = await callSource(entry, timeoutMs, request.circuitBreaker, (signal) =>
        provider.collect(request.target, signal),
      );
    } finally {
      metrics.observeLatency(type, provider.factId, Math.max(0, clock.now() - startedAtMs) / 1000);
    }
    const source = shortText(observation.source ?? provider.source, LIMITS.sourceChars);
    const wrong =
      valueFault(observation.value, provider.schema) ??
      sizeFault(observation.value, request.maxFactBytes ?? LIMITS.factBytes);
    if (wrong !== undefined) {
      const message = `Fact ${provider.factId}: the value from ${source} ${wrong}`;
      throw new GateError(FailureType.FactInvalid, message, [
        { type: FailureType.FactInvalid, message, factId: provider.factId, where: source },
      ]);
    }
    const collectedAtMs = clock.now();
    const { value, observedAtMs = collectedAtMs, isDefault, warnings } = observation;
    const fact: Fact = {
      ...{ id: provider.factId, value, observedAtMs, collectedAtMs, source },
      ...(isDefault ? { isDefault } : {}),
      ...(warnings === undefined || warnings.length === 0 ? {} : { warnings: fittingTexts(warnings, LIMITS.warnings) }),
    };
    if (entry.ttlMs > 0 && provider.alwaysFresh !== true) cache.set(key, fact);
    return fact;
  }

  function fromCache(entry: RegisteredProvider, key: string, request: CollectRequest): Fact | undefined {
    const fact = cache.get(key);
    if (fact === undefined) return undefined;
    const nowMs = clock.now();
    const usable =
      nowMs - fact.collectedAtMs < entry.ttlMs &&
      ageFault(entry, fact, nowMs, request.allowedClockSkewMs) === undefined;
    if (!usable) {
      cache.delete(key);
      return undefined;
    }
    metrics.cacheHit(entry.type);
    return fact;
  }

  async function obtain(factId: string, request: CollectRequest, bypassCache: boolean): Promise<Outcome> {
    const entry = request.providers.get(factId);
    if (entry === undefined) {
      const message = `Fact ${factId}: the policy reads it, but no provider for it is configured`;
      return { fault: { type: FailureType.FactMissing, message, factId } };
    }
    const key = cacheKey(entry, request.target);
    const cached = bypassCache ? undefined : fromCache(entry, key, request);
    if (cached !== undefined) return { fact: cached, cached: true };
    let pending = inFlight.get(key);
    if (pending === undefined) {
      pending = fetchFact(entry, key, request).finally(() => inFlight.delete(key));
      inFlight.set(key, pending);
    }
    try {
      return { fact: await pending, cached: false };
    } catch (error) {
      return { fault: toFault(error, entry) };
    }
  }

  return {
    async collect(request) {
      const { providers, allowedClockSkewMs } = request;
      const ids = [...new Set(request.factIds)].sort();
      const obtainAll = (factIds: readonly string[], bypass: boolean) =>
        Promise.all(factIds.map(async (id) => [id, await obtain(id, request, bypass)] as const));
      const outcomes = new Map(await obtainAll(ids, request.bypassCache === true));
      let completedAtMs = clock.now();

      // A cached fact may have grown too old while a slower source answered: ask its source rather than serve it stale.
      const aged = ids.filter((id) => {
        const [entry, outcome] = [providers.get(id), outcomes.get(id)];
        if (entry === undefined || outcome === undefined || !('fact' in outcome) || !outcome.cached) return false;
        return ageFault(entry, outcome.fact, completedAtMs, allowedClockSkewMs) !== undefined;
      });
      if (aged.length > 0) {
        for (const [id, outcome] of await obtainAll(aged, true)) outcomes.set(id, outcome);
        completedAtMs = clock.now();
      }

      const facts: Fact[] = [];
      const faults: Fault[] = [];
      for (const id of ids) {
        const [entry, outcome] = [providers.get(id), outcomes.get(id)];
        if (outcome === undefined) continue;
        if ('fault' in outcome) {
          faults.push(outcome.fault);
        } else if (entry !== undefined) {
          const { provider } = entry;
          const isNow = provider.alwaysFresh === true || outcome.fact.isDefault === true;
          facts.push(isNow ? { ...outcome.fact, observedAtMs: completedAtMs } : outcome.fact);
          metrics.observeAge(id, Math.max(0, completedAtMs - outcome.fact.observedAtMs) / 1000);
          const fault = ageFault(entry, outcome.fact, completedAtMs, allowedClockSkewMs);
          if (fault !== undefined) faults.push(fault);
        }
      }
      for (const fault of faults) metrics.failure(fault.type, providers.get(fault.factId ?? '')?.type ?? 'none');
      return { facts, faults, completedAtMs };
    },
  };
}

/** Everything that a provider may look at, so that no deployment is answered with the value of another. */
function cacheKey(entry: RegisteredProvider, target: FactTarget): string {
  const { deploymentId, stage, stageIndex, attributes, stageAttributes } = target;
  return JSON.stringify([entry.configKey, deploymentId, stage, stageIndex, attributes, stageAttributes]);
}

/** A fact exactly `maxAgeMs` old is fresh, one exactly `skewMs` in the future is valid. */
function ageFault(entry: RegisteredProvider, fact: Fact, nowMs: number, skewMs: number): Fault | undefined {
  if (entry.provider.alwaysFresh === true || fact.isDefault === true) return undefined;
  const { maxAgeMs } = entry;
  const ageMs = nowMs - fact.observedAtMs;
  const found = { factId: fact.id, where: fact.source, ageMs };
  if (ageMs > maxAgeMs) {
    const message = `Fact ${fact.id} is stale: ${ageMs} ms old, allowed ${maxAgeMs} ms (${fact.source})`;
    return { type: FailureType.FactStale, message, ...found, maxAgeMs };
  }
  if (-ageMs > skewMs) {
    const message = `Fact ${fact.id} is from the future: ${-ageMs} ms ahead, allowed ${skewMs} ms (${fact.source})`;
    return { type: FailureType.FactInvalid, message, ...found };
  }
  return undefined;
}

function toFault(error: unknown, { provider }: RegisteredProvider): Fault {
  const where = provider.source;
  if (error instanceof GateError) {
    const [first] = error.faults;
    return { factId: provider.factId, where, type: error.type, message: error.message, ...first };
  }
  // A provider of the user's own may throw anything; it is the source that failed, not the gate.
  const reason = messageOf(error);
  const message = `Fact ${provider.factId}: ${where} failed: ${reason}`;
  return { type: FailureType.FactSourceUnavailable, message, factId: provider.factId, where };
}
