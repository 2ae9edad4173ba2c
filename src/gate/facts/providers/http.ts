import type { HttpProviderConfig } from '../../../releases/config/release-config';
import { FailureType } from '../../../kernel/failures';
import type { JsonValue } from '../../../kernel/json';
import { parseTimeOrEpoch } from '../../../kernel/time';
import { failure, requestJson } from './http-request';
import type { ProviderKind } from '../provider-kind';
import { compileSelector, type Selector } from './select-value';
import { checkUrl, fillUrl, redactUrl } from './url';

/** Any JSON over HTTP. The URL may hold `{deploymentId}`, `{stage}` and `{factId}`. */
export const http: ProviderKind<HttpProviderConfig> = {
  type: 'http',
  create(factId, config, schema, deps) {
    checkUrl(config.url, `facts.${factId}.url`);
    const selectValue = compileSelector(config.value, `facts.${factId}.value`);
    const selectTime = config.time === undefined ? undefined : compileSelector(config.time, `facts.${factId}.time`);
    return {
      factId,
      description: config.description ?? `${factId} from JSON over HTTP`,
      schema,
      source: `http ${redactUrl(config.url)}`,
      async collect(target, signal) {
        const url = fillUrl(config.url, target, factId);
        const pick = (select: Selector, document: JsonValue, expression: string): JsonValue => {
          let found: JsonValue | undefined;
          try {
            found = select(document);
          } catch (cause) {
            throw failure(FailureType.FactInvalid, { factId, url }, `does not fit '${expression}'`, { cause });
          }
          if (found !== undefined && found !== null) return found;
          throw failure(FailureType.FactInvalid, { factId, url }, `answered nothing at '${expression}'`);
        };
        const { headers, bearerToken } = config;
        const document = await requestJson({ factId, url, headers, bearerToken, signal, deps });
        const value = pick(selectValue, document, config.value);
        const source = `http ${redactUrl(url)}`;
        if (selectTime === undefined) return { value, source };
        const observedAtMs = parseTimeOrEpoch(pick(selectTime, document, config.time ?? ''));
        if (observedAtMs !== undefined) return { value, observedAtMs, source };
        const what = `answered no RFC 3339 time or epoch milliseconds at '${config.time}'`;
        throw failure(FailureType.FactInvalid, { factId, url }, what);
      },
    };
  },
};
