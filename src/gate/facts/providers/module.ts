import { messageOf } from '../../../kernel/message-of';
import type { ModuleProviderConfig } from '../../../releases/config/release-config';
import { FailureType, GateError } from '../../../kernel/failures';
import { importFunction } from '../../../platform/files/import-function';
import { isModulePath } from '../allowed-names';
import type { FactProvider } from '../fact';
import type { ProviderKind } from '../provider-kind';

/**
 * A module of the user's own, found relative to the configuration file (or as a package from the settings), that exports
 * `createProvider(factId, options)` and returns at least `{collect(target, signal)}`.
 */
export const moduleProvider: ProviderKind<ModuleProviderConfig> = {
  type: 'module',
  async create(factId, config, schema, deps) {
    const where = `facts.${factId}.module`;
    const invalid = (what: string, cause?: unknown) => {
      const message = `Expected ${where} '${config.module}' to export createProvider(factId, options), but ${what}`;
      const faults = [{ type: FailureType.ConfigInvalid, message, where, factId }];
      return new GateError(FailureType.ConfigInvalid, message, faults, { cause });
    };
    let provider: unknown;
    try {
      const createProvider = await importFunction(
        config.module,
        'createProvider',
        // A package beside the configuration would be code of whoever may write the configuration.
        isModulePath(config.module) ? deps.configFolder : (deps.packageFolder ?? deps.configFolder),
        deps.importModule,
      );
      if (createProvider === undefined) throw invalid('it does not');
      provider = await createProvider(factId, config.options ?? {});
    } catch (error) {
      if (error instanceof GateError) throw error;
      throw invalid(`it failed: ${messageOf(error)}`, error);
    }
    if (!isProvider(provider)) throw invalid('what it returns has no collect function');
    if (provider.factId !== undefined && provider.factId !== factId) {
      throw invalid(`what it returns is for the fact '${provider.factId}'`);
    }
    const own = provider;
    return {
      factId,
      description: config.description ?? own.description ?? `From module ${config.module}`,
      schema: Object.keys(schema).length > 0 ? schema : (own.schema ?? schema),
      source: own.source ?? `module ${config.module}`,
      alwaysFresh: own.alwaysFresh,
      collect: (target, signal) => own.collect(target, signal),
    };
  },
};

function isProvider(value: unknown): value is Partial<FactProvider> & Pick<FactProvider, 'collect'> {
  return typeof value === 'object' && value !== null && typeof (value as FactProvider).collect === 'function';
}
