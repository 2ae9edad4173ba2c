import {
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import { BoundedMap } from '../../kernel/bounded-map';
import { FailureType, GateError } from '../../kernel/failures';
import { within, type Timers } from '../../kernel/timers';
import type { Observation } from './fact';
import type { RegisteredProvider } from './registry';

export interface CircuitBreakerOptions {
  /** this many failures in a row open it */
  failures: number;
  /** after this long one request is let through */
  halfOpenAfterMs: number;
}

type CallSource = (
  entry: RegisteredProvider,
  timeoutMs: number,
  breaker: CircuitBreakerOptions,
  ask: (signal: AbortSignal) => Promise<Observation>,
) => Promise<Observation>;

const MAX_BREAKERS = 1000;

/**
 * Asks a source within its time-out and behind a circuit breaker of its own. An answer of another shape does not count
 * against the source: it did answer.
 */
export function createSourceCaller(timers: Timers): CallSource {
  // Releases come and go; the breakers of old ones need not stay.
  const breakers = new BoundedMap<string, CircuitBreakerPolicy>(MAX_BREAKERS);

  function breakerOf(entry: RegisteredProvider, { failures, halfOpenAfterMs }: CircuitBreakerOptions) {
    const key = JSON.stringify([entry.configKey, failures, halfOpenAfterMs]);
    let breaker = breakers.get(key);
    if (breaker === undefined) {
      breaker = circuitBreaker(
        handleWhen((error) => !(error instanceof GateError) || error.type === FailureType.FactSourceUnavailable),
        { halfOpenAfter: halfOpenAfterMs, breaker: new ConsecutiveBreaker(failures) },
      );
      breakers.set(key, breaker);
    }
    return breaker;
  }

  return async (entry, timeoutMs, options, ask) => {
    try {
      return await breakerOf(entry, options).execute(() => withTimeout(timers, entry, timeoutMs, ask));
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      throw unavailable(
        entry,
        `was not asked: its circuit breaker is open after ${options.failures} failures in a row; ` +
          `it is tried again ${options.halfOpenAfterMs} ms after the last failure`,
        error,
      );
    }
  };
}

/** Rejects when the time is over even if the provider ignores its signal. */
async function withTimeout(
  timers: Timers,
  entry: RegisteredProvider,
  timeoutMs: number,
  ask: (signal: AbortSignal) => Promise<Observation>,
): Promise<Observation> {
  const controller = new AbortController();
  try {
    const late = () => unavailable(entry, `did not answer within ${timeoutMs} ms`);
    return await within(timers, timeoutMs, ask(controller.signal), late);
  } finally {
    controller.abort();
  }
}

function unavailable({ provider }: RegisteredProvider, what: string, cause?: unknown): GateError {
  const { factId, source } = provider;
  const message = `Fact ${factId}: ${source} ${what}`;
  const type = FailureType.FactSourceUnavailable;
  return new GateError(type, message, [{ type, message, factId, where: source }], { cause });
}
