import { isAbsolute, resolve } from 'node:path';
import { FailureType, type Fault } from '../../kernel/failures';
import type { ProviderConfig } from '../../releases/config/release-config';

/** What the settings let a release name: its configuration comes from whoever may write a manifest. */
export interface AllowedNames {
  /** modules of the user's own: paths, or packages by their name */
  modules: readonly string[];
  /** environment variables that hold secrets */
  env: readonly string[];
  /** files that hold secrets, keys or certificates */
  files: readonly string[];
}

/** Where relative paths start from: those of the configuration, and those of the settings. */
export interface NameFolders {
  configFolder: string;
  settingsFolder: string;
}

/** Whether a module is named by its path; anything else is a package. */
export const isModulePath = (module: string): boolean => /^\.{1,2}(\/|$)/.test(module) || isAbsolute(module);

/**
 * What the providers of a release name beyond what the settings allow: code that would run on the worker, and variables and
 * files that it would read and send. Paths are compared by where they lead.
 *
 * @returns a fault a name, which says what to add to the settings
 */
export function namesNotAllowed(
  facts: Readonly<Record<string, ProviderConfig>>,
  allowed: AllowedNames,
  folders: NameFolders,
): Fault[] {
  return Object.entries(facts).flatMap(([factId, config]) =>
    namesOf(config).flatMap(({ kind, name, at }): Fault[] => {
      if (isAllowed(kind, name, allowed[kind], folders)) return [];
      const where = ['facts', factId, ...at].join('.');
      const lines = `release: { allow: { ${kind}: [${JSON.stringify(asInSettings(kind, name, folders))}] } }`;
      const message = `${where} names ${KINDS[kind]} ${name}, which the settings do not let a release name; add to the settings: ${lines}`;
      return [{ type: FailureType.ConfigInvalid, message, where, factId }];
    }),
  );
}

const KINDS = { modules: 'the module', env: 'the environment variable', files: 'the file' } as const;

/** A name in a provider's configuration, and where it is. */
export interface ProviderName {
  kind: keyof AllowedNames;
  name: string;
  at: readonly string[];
}

/** The modules, variables and files that one provider's configuration names. */
export function namesOf(config: ProviderConfig): ProviderName[] {
  if (config.type === 'module') return [{ kind: 'modules', name: config.module, at: ['module'] }];
  const { headers, bearerToken, tls } = config as Extract<ProviderConfig, { type: 'http' }>;
  const secrets = [
    ...Object.entries(headers ?? {}).map(([name, value]) => ({ value, at: ['headers', name] })),
    ...(bearerToken === undefined ? [] : [{ value: bearerToken, at: ['bearerToken'] }]),
  ];
  return [
    ...secrets.flatMap(({ value, at }): ProviderName[] => {
      if (typeof value === 'string') return [];
      return 'env' in value ? [{ kind: 'env', name: value.env, at }] : [{ kind: 'files', name: value.file, at }];
    }),
    ...Object.entries(tls ?? {}).map(([key, name]): ProviderName => ({ kind: 'files', name, at: ['tls', key] })),
  ];
}

/** A path that leads to the same place from the folder of the settings: as it is where it does, else the whole path. */
function asInSettings(kind: keyof AllowedNames, name: string, { configFolder, settingsFolder }: NameFolders): string {
  if (kind === 'env' || (kind === 'modules' && !isModulePath(name))) return name;
  const path = resolve(configFolder, name);
  return resolve(settingsFolder, name) === path ? name : path;
}

function isAllowed(
  kind: keyof AllowedNames,
  name: string,
  allowed: readonly string[],
  { configFolder, settingsFolder }: NameFolders,
): boolean {
  if (kind === 'env' || (kind === 'modules' && !isModulePath(name))) return allowed.includes(name);
  const path = resolve(configFolder, name);
  return allowed.some((each) => (kind === 'files' || isModulePath(each)) && resolve(settingsFolder, each) === path);
}
