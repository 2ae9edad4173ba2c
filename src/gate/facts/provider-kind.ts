import type { FactProvider } from './fact';
import type { JsonObject, JsonSchema } from '../../kernel/json';
import type { ProviderConfig } from '../../releases/config/release-config';

/** What a provider may need besides its own configuration. */
export interface ProviderDeps {
  env: Readonly<Record<string, string | undefined>>;
  /** folder of the release's configuration file; modules and secret files are relative to it */
  configFolder: string;
  /** where packages are found that a provider's module names; @default configFolder */
  packageFolder?: string;
  /** what the policy sees as `data.config` */
  configDocument: JsonObject;
  /** imports a user's module by its file URL; @default Node's own `import` */
  importModule?: (url: string) => Promise<unknown>;
}

/** One kind of provider. `create` throws GateError ConfigInvalid when the configuration cannot work. */
export interface ProviderKind<C extends ProviderConfig = ProviderConfig> {
  readonly type: C['type'];
  create(factId: string, config: C, schema: JsonSchema, deps: ProviderDeps): FactProvider | Promise<FactProvider>;
}
