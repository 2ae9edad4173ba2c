import type { OpenedDeployments } from '../clients/open-deployments';
import { FailureType } from '../kernel/failures';
import { failureOf, notFound, type CommandFailure } from './exit';
import type { CliIo } from './io';

/** A client of the deployments on the server that `--settings`, Temporal's own variables or a running `gate dev` name. */
export async function connect(
  io: CliIo,
  settingsPath: string | undefined,
  deadlineMs?: number,
): Promise<OpenedDeployments> {
  const [{ openDeployments }, { openLoadedSettings }] = await Promise.all([
    import('../clients/open-deployments.js'),
    import('./open-settings.js'),
  ]);
  return openDeployments(await openLoadedSettings(io, settingsPath), io.env, deadlineMs);
}

const ADVICE =
  'Is it running? `gate dev` starts one; TEMPORAL_ADDRESS names another; `gate doctor` shows what was found';

/** Codes of gRPC: the server is out of reach, or late. */
const UNANSWERED = [14, 4];
/** As the client says it, and as the server does. */
const NO_NAMESPACE = /Namespace (?:not found: )?'?([^\s']+)'?(?: is not found)?/;
/** The caller is not known, or may not do this. */
const FORBIDDEN = [16, 7];

/** What a person can do about an error of the connection to Temporal; undefined for any other error. */
export function connectionFailure(error: unknown): CommandFailure | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { name, message } = cause;
    // By name: the modules that declare them are loaded with the commands that connect.
    if (name === 'TemporalUnreachable') return failureOf(FailureType.TemporalUnavailable, `${message}. ${ADVICE}`);
    const { code } = cause as { code?: unknown };
    const namespace = name === 'NamespaceNotFoundError' || code === 5 ? NO_NAMESPACE.exec(message)?.[1] : undefined;
    if (namespace !== undefined)
      return notFound(`Temporal has no namespace ${namespace}; TEMPORAL_NAMESPACE or the settings name it`).failure;
    if (UNANSWERED.includes(code as number))
      return failureOf(FailureType.TemporalUnavailable, `Temporal did not answer (${message}). ${ADVICE}`);
    if (FORBIDDEN.includes(code as number))
      return failureOf(FailureType.AccessDenied, `Temporal refused the caller (${message})`);
  }
  return undefined;
}
