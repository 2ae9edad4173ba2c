import type { Command } from 'commander';
import type { Registries } from '../../images/registries/open-registries';
import type { ImageError, ImageErrorCode } from '../../images/image-error';
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
  const [{ openRegistries, withoutTls }, { toImageError }] = await Promise.all([
    import('../../images/registries/open-registries.js'),
    import('../../images/registries/to-image-error.js'),
  ]);
  const registries = openRegistries({ env, access: withoutTls(plainHttp) });
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
