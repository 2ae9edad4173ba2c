import type { SecretRef } from '../../../platform/documents/schema-types';
import { faultsToError, FailureType, GateError, type Fault } from '../../../kernel/failures';
import type { JsonSchema, JsonValue } from '../../../kernel/json';
import { createHttpFetch, type TlsFiles } from '../../../platform/http/http-client';
import type { FactTarget, Observation } from '../fact';
import { valueFault } from '../fact-value';
import type { ProviderDeps } from '../provider-kind';
import { requestJson, type JsonAnswer, type JsonRequest } from '../../../platform/sources/request-json';
import { redactUrl } from '../../../platform/sources/url';
import { factFailure } from './fact-failure';
import { escapeForHeader, escapeForUrl, fillParameters, parameterFaults, type Escape } from './parameters';

/** What every provider that asks over HTTP may have in its configuration. */
export interface SourceConfig {
  headers?: Record<string, string | SecretRef>;
  bearerToken?: SecretRef;
  tls?: TlsFiles;
  onMissing?: 'error' | { use: unknown };
}

/** The source of one fact, asked over HTTP with its credentials, proxies and certificates. */
export interface Source {
  ask(url: string, target: FactTarget, signal: AbortSignal, explain?: JsonRequest['explain']): Promise<JsonAnswer>;
  /** @throws GateError FactInvalid where the deployment lacks what the template names */
  fill(template: string, target: FactTarget, escape?: Escape): string;
  /** The answer to no data: the value that stands in for it, or the error, whose message proposes one. */
  missing(url: string, what: string): Observation;
}

/**
 * @param templates texts with parameters, by their place in the configuration
 * @throws GateError ConfigInvalid with every fault: an unknown parameter, a stand-in value that does not fit the schema
 */
export function createSource(
  factId: string,
  config: SourceConfig,
  schema: JsonSchema,
  deps: ProviderDeps,
  templates: Readonly<Record<string, string>>,
): Source {
  const place = `facts.${factId}`;
  const faults: Fault[] = Object.entries(templates).flatMap(([key, text]) => parameterFaults(text, `${place}.${key}`));
  for (const [name, value] of Object.entries(config.headers ?? {})) {
    if (typeof value === 'string') faults.push(...parameterFaults(value, `${place}.headers.${name}`));
  }
  const { onMissing = 'error', tls } = config;
  if (typeof onMissing === 'object') {
    const wrong = valueFault(onMissing.use, schema);
    const where = `${place}.onMissing.use`;
    if (wrong !== undefined) {
      faults.push({
        type: FailureType.ConfigInvalid,
        message: `Expected a value that the fact may have at ${where}, but it ${wrong}`,
        where,
      });
    }
  }
  if (faults.length > 0) throw faultsToError(faults);
  const fetch = createHttpFetch({
    env: deps.env,
    folder: deps.configFolder,
    failure: FailureType.FactSourceUnavailable,
    ...(tls === undefined ? {} : { tls }),
  });

  function fill(template: string, target: FactTarget, escape: Escape = escapeForUrl): string {
    return filledIn(template, target, escape, /^https?:/i.test(template) ? redactUrl(template) : template);
  }

  /** @param what is filled, for the message */
  function filledIn(template: string, target: FactTarget, escape: Escape, what: string): string {
    const filled = fillParameters(template, target, factId, escape);
    if ('text' in filled) return filled.text;
    const type = FailureType.FactInvalid;
    const message = `Fact ${factId}: ${what} ${filled.fault}`;
    throw new GateError(type, message, [{ type, message, factId, where: place }]);
  }

  return {
    fill,
    ask(url, target, signal, explain) {
      const headers = Object.fromEntries(
        Object.entries(config.headers ?? {}).map(([name, value]) => [
          name,
          typeof value === 'string' ? filledIn(value, target, escapeForHeader, `header ${name}`) : value,
        ]),
      );
      const { bearerToken } = config;
      return requestJson({
        ...{ subject: `Fact ${factId}`, factId, url, headers, bearerToken, signal, deps, fetch },
        ...(explain ? { explain } : {}),
      });
    },
    missing(url, what) {
      if (typeof onMissing === 'object') return { value: onMissing.use as JsonValue, isDefault: true };
      const advice = `; where that is normal, ${place}.onMissing: {use: VALUE} says what it means`;
      throw factFailure(FailureType.FactInvalid, { factId, url }, `${what}${advice}`);
    },
  };
}
