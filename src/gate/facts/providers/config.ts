import type { ConfigProviderConfig } from '../../../releases/config/release-config';
import { FailureType, GateError } from '../../../kernel/failures';
import { atPointer } from '../../../kernel/json-pointer';
import type { ProviderKind } from '../provider-kind';

/** A value from the release's configuration: always fresh, and there from the start or the release is refused. */
export const config: ProviderKind<ConfigProviderConfig> = {
  type: 'config',
  create(factId, { path, description }, schema, deps) {
    const value = atPointer(deps.configDocument, path);
    if (value === undefined || value === null) {
      const where = `facts.${factId}.path`;
      const message = `Expected ${where} to be a JSON Pointer to a value of the configuration, found nothing at '${path}'`;
      throw new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message, where }]);
    }
    return {
      factId,
      description: description ?? `Configured at ${path}`,
      schema,
      source: `config ${path}`,
      alwaysFresh: true,
      collect: () => Promise.resolve({ value }),
    };
  },
};
