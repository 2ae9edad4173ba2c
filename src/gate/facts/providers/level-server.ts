import type { LevelServerProviderConfig } from '../../../releases/config/release-config';
import { allOrFaults } from '../../../kernel/all-or-faults';
import { FailureType } from '../../../kernel/failures';
import { isJsonObject } from '../../../kernel/json';
import { checkBaseUrl, redactUrl } from '../../../platform/sources/url';
import type { ProviderKind } from '../provider-kind';
import { factFailure } from './fact-failure';
import { createSource } from './source';
import { readSourceTime } from './source-time';

/** The device backend (gate rules, section 2): `{value, timestamp?}` of one metric of a deployment's stage. */
export const levelServer: ProviderKind<LevelServerProviderConfig> = {
  type: 'levelServer',
  create(factId, config, schema, deps) {
    const [base, source] = allOrFaults(
      () => checkBaseUrl(config.base, `facts.${factId}.base`),
      () => createSource(factId, config, schema, deps, {}),
    );
    const template = `${base}/api/deployments/{deploymentId}/stages/{stage}/metrics/{factId}`;
    return {
      factId,
      description: config.description ?? `Metric ${factId} of LevelServer`,
      schema,
      source: `levelServer ${redactUrl(template)}`,
      async collect(target, signal) {
        const url = source.fill(template, target);
        const { body, answeredAtMs } = await source.ask(url, target, signal);
        if (!isJsonObject(body)) throw factFailure(FailureType.FactInvalid, { factId, url }, 'answered no object');
        const { value, timestamp } = body;
        if (value === undefined || value === null) return source.missing(url, 'answered without a value');
        const observedAtMs =
          timestamp === undefined ? answeredAtMs : readSourceTime(timestamp, { factId, url }, 'timestamp');
        return { value, observedAtMs, source: `levelServer ${redactUrl(url)}` };
      },
    };
  },
};
