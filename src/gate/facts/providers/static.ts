import type { StaticProviderConfig } from '../../../releases/config/release-config';
import { FailureType, faultsToError } from '../../../kernel/failures';
import { parseDuration } from '../../../kernel/duration';
import type { JsonValue } from '../../../kernel/json';
import { valueFault } from '../fact-value';
import type { ProviderKind } from '../provider-kind';

/** A value written down in the configuration, for trials; publishing refuses it unless it is asked for. */
export const staticProvider: ProviderKind<StaticProviderConfig> = {
  type: 'static',
  create(factId, { value, age, description }, schema) {
    const wrong = valueFault(value, schema);
    if (wrong !== undefined) {
      const where = `facts.${factId}.value`;
      const message = `Expected a value that the fact may have at ${where}, but it ${wrong}`;
      throw faultsToError([{ type: FailureType.ConfigInvalid, message, where }]);
    }
    return {
      factId,
      description: description ?? 'Written down in the configuration',
      schema,
      source: 'static',
      ...(age === undefined ? { alwaysFresh: true } : {}),
      collect: () =>
        Promise.resolve({
          value: value as JsonValue,
          ...(age === undefined ? {} : { observedAtMs: Date.now() - parseDuration(age) }),
        }),
    };
  },
};
