import { isInTheClear } from '../../../kernel/http-url';
import type { ProviderConfig, ReleaseConfig } from '../../../releases/config/release-config';
import { FailureType, type Fault } from '../../../kernel/failures';
import { namesOf } from '../allowed-names';
import { agesOf } from './prometheus';

/** What an author should know of the facts that a release configures, though nothing is wrong with them. */
export function factWarnings(facts: ReleaseConfig['facts']): Fault[] {
  return Object.entries(facts).flatMap(([factId, config]) =>
    [...recordingRules(config), ...secretsInTheClear(config)].map(([key, what]) => {
      const where = `facts.${factId}.${key}`;
      return { type: FailureType.ConfigInvalid, message: `${where}: ${what}`, where, factId };
    }),
  );
}

type Warning = readonly [key: string, what: string];

function recordingRules(config: ProviderConfig): Warning[] {
  if (config.type !== 'prometheus' || config.timestampQuery !== undefined) return [];
  return agesOf(config).recordingRules.map((rule) => [
    'query',
    `${rule} looks like a recording rule, so its age is that of the rule's last evaluation, not of the samples behind it; where those must be fresh too, ask for them or give a timestampQuery`,
  ]);
}

/** Sources within a cluster are often plain http, which is the user's to decide; who sends a secret there should know. */
function secretsInTheClear(config: ProviderConfig): Warning[] {
  const url = 'url' in config ? config.url : 'base' in config ? config.base : undefined;
  if (url === undefined || !isInTheClear(url)) return [];
  return namesOf(config)
    .filter(({ at: [first] }) => first !== 'tls')
    .map(({ at }) => [at.join('.'), `this secret is sent over http, where others on the way can read it; use https`]);
}
