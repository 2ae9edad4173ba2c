import { messageOf } from '../../../kernel/message-of';
import { FailureType, faultsToError, GateError, type Fault } from '../../../kernel/failures';
import { importFunction, type ImportModule } from '../../../platform/files/import-function';
import { readSecret } from '../../../platform/files/read-secret';
import { secretDeps } from '../../../settings/secret-deps';
import { createHttpFetch } from '../../../platform/http/http-client';
import type { LoadedSettings } from '../../../settings/load-settings';
import type { ActionDeps, ActionModule } from '../action-kind';
import type { ActionRegistry, Actions } from '../registry';

export interface ActionsOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** imports a user's module by its file URL; @default Node's own `import` */
  importModule?: ImportModule;
  /** the program's own, by name, beside those that the settings name */
  own?: Readonly<Record<string, ActionModule>>;
  /** the types of action */
  registry: ActionRegistry;
  notices: ActionDeps['notices'];
  /** of the room of images */
  replicateImage: ActionDeps['replicateImage'];
  /** of the room of shards */
  changeShard: ActionDeps['changeShard'];
}

/**
 * The actions of all types, with the secrets and modules that the settings name. The modules are loaded here, because a
 * deployment must not find out behind its gate that one is broken; secrets are read at each use.
 *
 * @throws GateError ConfigInvalid with every module that cannot be loaded
 */
export async function openActions(
  { settings, baseDir }: LoadedSettings,
  { env, importModule, own = {}, registry, notices, replicateImage, changeShard }: ActionsOptions,
): Promise<Actions> {
  const { secrets, modules, tls } = settings.actions;
  const loaded = new Map<string, ActionModule>();
  const faults: Fault[] = [];
  const fault = (name: string, message: string): void =>
    void faults.push({ type: FailureType.ConfigInvalid, message, where: `actions.modules.${name}.module` });
  for (const [name, { module, options }] of Object.entries(modules)) {
    try {
      const createAction = await importFunction(module, 'createAction', baseDir, importModule);
      if (createAction === undefined) throw new Error('it does not');
      loaded.set(name, toActionModule(await createAction(name, options ?? {})));
    } catch (error) {
      const reason = messageOf(error);
      fault(
        name,
        `Expected actions.modules.${name}.module '${module}' to export createAction(name, options): ${reason}`,
      );
    }
  }
  for (const [name, action] of Object.entries(own)) {
    if (Object.hasOwn(modules, name))
      fault(name, `Expected one action ${name}, got actions.modules.${name} and the program's own`);
    else loaded.set(name, action);
  }
  if (faults.length > 0) throw faultsToError(faults);

  const readNamed: ActionDeps['readSecret'] = async (name, url) => {
    const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
    if (secret === undefined) throw unknown('secret', name, Object.keys(secrets));
    if (!secret.hosts.some((host) => isHostOf(url, host))) {
      const message = `Expected the secret ${name} to be sent to ${secret.hosts.join(' or ')} alone (actions.secrets.${name}.hosts), but the request goes to ${url.host}`;
      throw new GateError(FailureType.ConfigInvalid, message);
    }
    return readSecret(secret, { ...secretDeps({ settings, baseDir }, env), where: `actions.secrets.${name}` });
  };
  const loadModule: ActionDeps['loadModule'] = async (name) => {
    const module = loaded.get(name);
    if (module === undefined) throw unknown('module', name, [...loaded.keys()]);
    return module;
  };
  const fetch = createHttpFetch({ env, tls, folder: baseDir });
  return registry.create({ fetch, readSecret: readNamed, loadModule, notices, replicateImage, changeShard });
}

function toActionModule(created: unknown): ActionModule {
  const action = created as Partial<ActionModule> | null;
  if (typeof action?.run !== 'function') throw new Error('what it returns has no run function');
  if (action.compensate !== undefined && typeof action.compensate !== 'function') {
    throw new Error('the compensate of what it returns is no function');
  }
  return action as ActionModule;
}

/** A host without a port is the one at its scheme's usual port. */
function isHostOf(url: URL, host: string): boolean {
  const text = `${url.protocol}//${host}`;
  return URL.canParse(text) && new URL(text).host === url.host;
}

function unknown(what: 'secret' | 'module', name: string, known: readonly string[]): GateError {
  const names = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
  const message = `Expected a ${what} named ${JSON.stringify(name)} in the worker's settings (actions.${what}s), but ${names}`;
  return new GateError(FailureType.ConfigInvalid, message);
}
