import { FailureType, faultsToError, type Fault } from '../../kernel/failures';
import { messageOf } from '../../kernel/message-of';
import { importFunction, type ImportModule } from '../../platform/files/import-function';
import type { LoadedSettings } from '../../settings/load-settings';
import type { ImageConditionType, ImageConditionTypes } from '../conditions/condition-type';
import { ConditionType } from '../conditions/image-condition';

/** A module of the user's own, which exports `createConditionType(name, options)`. */
export interface ConditionTypeModule {
  module: string;
  options?: Readonly<Record<string, unknown>>;
}

export interface ConditionTypesOptions {
  /** by their names */
  modules: Readonly<Record<string, ConditionTypeModule>>;
  /** what paths of modules are relative to */
  folder: string;
  /** how faults name the place of a module @default the settings */
  placeOf?: (name: string) => string;
  /** the program's own, beside those of modules */
  own?: Readonly<Record<string, ImageConditionType>>;
  /** @default Node's own `import` */
  importModule?: ImportModule;
}

/** As `openConditionTypes`, of the modules that settings name. */
export function conditionTypesOf(
  { settings, baseDir: folder }: LoadedSettings,
  own: ConditionTypesOptions['own'] = {},
): Promise<ImageConditionTypes> {
  return openConditionTypes({ modules: settings.policy.conditionTypes, folder, own });
}

/** @throws GateError ConfigInvalid with every module that cannot be loaded, and every name that has a meaning already */
export async function openConditionTypes({
  modules,
  folder,
  placeOf = (name) => `policy.conditionTypes.${name}`,
  own = {},
  importModule,
}: ConditionTypesOptions): Promise<ImageConditionTypes> {
  const types = new Map<string, ImageConditionType>(Object.entries(own));
  const faults: Fault[] = [];
  const fault = (name: string, message: string): void =>
    void faults.push({ type: FailureType.ConfigInvalid, message, where: placeOf(name) });
  for (const [name, { module, options = {} }] of Object.entries(modules)) {
    if (types.has(name)) fault(name, `Expected one condition type ${name}, got ${placeOf(name)} and the program's own`);
    try {
      const create = await importFunction(module, 'createConditionType', folder, importModule);
      if (create === undefined) throw new Error('it does not');
      types.set(name, toConditionType(await create(name, options)));
    } catch (error) {
      const why = messageOf(error);
      fault(name, `Expected ${placeOf(name)} '${module}' to export createConditionType(name, options): ${why}`);
    }
  }
  const known: readonly string[] = Object.values(ConditionType);
  for (const name of new Set([...Object.keys(own), ...Object.keys(modules)]))
    if (known.includes(name))
      fault(name, `Expected a condition type of your own to have another name than ${known.join(', ')}, got ${name}`);
  if (faults.length > 0) throw faultsToError(faults);
  return types;
}

function toConditionType(created: unknown): ImageConditionType {
  if (typeof (created as Partial<ImageConditionType> | null)?.values !== 'function')
    throw new Error('what it returns has no values function');
  return created as ImageConditionType;
}
