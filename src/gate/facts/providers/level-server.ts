import type { LevelServerProviderConfig } from '../../../releases/config/release-config';
import { FailureType } from '../../../kernel/failures';
import { isJsonObject } from '../../../kernel/json';
import { parseTimeOrEpoch } from '../../../kernel/time';
import { failure, requestJson } from './http-request';
import type { ProviderKind } from '../provider-kind';
import { checkUrl, fillUrl, redactUrl } from './url';

/** The device backend (gate rules, section 2): `{value, timestamp?}` of one metric of a deployment's stage. */
export const levelServer: ProviderKind<LevelServerProviderConfig> = {
  type: 'levelServer',
  create(factId, config, schema, deps) {
    checkUrl(config.base, `facts.${factId}.base`);
    const template = `${config.base.replace(/\/+$/, '')}/api/deployments/{deploymentId}/stages/{stage}/metrics/${encodeURIComponent(factId)}`;
    return {
      factId,
      description: config.description ?? `Metric ${factId} of LevelServer`,
      schema,
      source: `levelServer ${redactUrl(template)}`,
      async collect(target, signal) {
        const url = fillUrl(template, target, factId);
        const { headers, bearerToken } = config;
        const answer = await requestJson({ factId, url, headers, bearerToken, signal, deps });
        if (!isJsonObject(answer) || answer['value'] === undefined) {
          throw failure(FailureType.FactInvalid, { factId, url }, 'answered without a value');
        }
        const { value, timestamp } = answer;
        const source = `levelServer ${redactUrl(url)}`;
        if (timestamp === undefined) return { value, source };
        const observedAtMs = parseTimeOrEpoch(timestamp);
        if (observedAtMs === undefined) {
          const what = 'answered a timestamp that is neither RFC 3339 nor epoch milliseconds';
          throw failure(FailureType.FactInvalid, { factId, url }, what);
        }
        return { value, observedAtMs, source };
      },
    };
  },
};
