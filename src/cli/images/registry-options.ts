import type { Command } from 'commander';
import type { Registries } from '../../images/registries/open-registries';
import type { ImageError, ImageErrorCode } from '../../images/image-error';
import type { LoadedSettings } from '../../settings/load-settings';
import { FailureType } from '../../kernel/failures';
import { CommandFailureType, type CommandFailure } from '../exit';
import { CliExit, ExitCode, type CommandIo } from '../io';
import { collect } from '../options';

/** What the commands that reach registries share. */
export interface RegistryOptions {
  plainHttp?: string[];
}

export function withRegistries(command: Command): Command {
  return command.option(
    '--plain-http <host>',
    'a registry that is reached without TLS, such as localhost:5000; may be given several times',
    collect,
  );
}

/** The same with the registries of settings. */
export async function usingRegistriesOf<T>(
  { env }: Pick<CommandIo, 'env'>,
  loaded: LoadedSettings,
  work: (registries: Registries) => Promise<T>,
): Promise<T> {
  const [{ openRegistries }, { checkedRegistryAccess }] = await Promise.all([
    import('../../images/registries/open-registries.js'),
    import('../../images/service/registry-access.js'),
  ]);
  return closing(openRegistries({ env, access: await checkedRegistryAccess(loaded) }), work);
}

/**
 * Runs `work` with registries that are closed afterwards.
 *
 * @throws CliExit 2 with a code such as REGISTRY_UNAVAILABLE
 */
export async function usingRegistries<T>(
  { env }: Pick<CommandIo, 'env'>,
  { plainHttp = [] }: RegistryOptions,
  work: (registries: Registries) => Promise<T>,
): Promise<T> {
  const { openRegistries, withoutTls } = await import('../../images/registries/open-registries.js');
  return closing(openRegistries({ env, access: withoutTls(plainHttp) }), work);
}

async function closing<T>(registries: Registries, work: (registries: Registries) => Promise<T>): Promise<T> {
  const { toImageError } = await import('../../images/registries/to-image-error.js');
  try {
    return await work(registries);
  } catch (failure) {
    const error = toImageError(failure);
    if (error === undefined) throw failure;
    throw imageExit(error);
  } finally {
    await registries.close();
  }
}

const TYPES: Readonly<Record<ImageErrorCode, CommandFailure['type']>> = {
  POLICY_NOT_FOUND: CommandFailureType.NotFound,
  IMAGE_NOT_FOUND: CommandFailureType.NotFound,
  REGISTRY_UNAVAILABLE: FailureType.RegistryUnavailable,
  CONDITION_EVAL_ERROR: FailureType.PolicyEvaluation,
  ACTION_EXEC_ERROR: FailureType.ActionFailed,
  POLICY_CONFLICT: FailureType.ConfigInvalid,
};

/** Ends a command with code 2, and the code of what is wrong. */
export function imageExit({ code, message }: ImageError): CliExit {
  return new CliExit(ExitCode.usage, `${code}: ${message}`, TYPES[code]);
}
