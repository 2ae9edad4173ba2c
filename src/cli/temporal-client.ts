import type { OpenedDeployments } from '../clients/open-deployments';
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

/** What a person can do about an error of the connection; undefined for any other error. */
export function explainConnectionError(error: unknown): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    // By name: the module that declares it is loaded with the commands that connect.
    if (cause.name === 'TemporalUnreachable') return `${cause.message}. ${ADVICE}`;
    const { code } = cause as { code?: unknown };
    if (code === 14 || code === 4) return `Temporal did not answer (${cause.message}). ${ADVICE}`;
  }
  return undefined;
}
