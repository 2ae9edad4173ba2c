import type { FleetAnswer } from '../../clients/ask-fleet';
import type { FleetStatus } from '../../releases/fleet/worker-answer';
import { CliExit, ExitCode, type CommandIo } from '../io';
import { colorsFor, formatAge, printJson, printLines, printTable, shortSha } from '../output';

const STOPPED = { status: 'stopped asking', reload: 'stopped waiting; workers may still read the manifest' };

/** Asks every worker of the settings' task queue, and prints what each says; returns the exit code. */
export async function printFleet(
  io: CommandIo,
  options: { settings?: string; output: 'text' | 'json' },
  reload: boolean,
): Promise<ExitCode> {
  const answers = await ask(io, options.settings, reload);
  const { haveOneRelease, judgeFleet } = await import('../../releases/fleet/worker-answer.js');
  const state = judgeFleet(answers);
  const sameRelease = haveOneRelease(answers);
  if (options.output === 'json') printJson(io, { state, same_release: sameRelease, workers: answers.map(toJson) });
  else await printText(io, answers, sameRelease || state === 'silent');
  if (state === 'silent') return ExitCode.timeout;
  return state === 'alike' ? ExitCode.ok : ExitCode.denied;
}

async function ask(io: CommandIo, settingsPath: string | undefined, reload: boolean): Promise<FleetAnswer[]> {
  const [{ askFleet }, { withFleet }, { openLoadedSettings }] = await Promise.all([
    import('../../clients/ask-fleet.js'),
    import('../../clients/with-fleet.js'),
    import('../open-settings.js'),
  ]);
  const loaded = await openLoadedSettings(io, settingsPath);
  const { taskQueue } = loaded.settings.temporal;
  return withFleet(loaded, io.env, async (fleet) => {
    const answers = await askFleet(fleet, taskQueue, { reload, signal: io.signal }).catch((error: unknown) => {
      throw io.signal.aborted ? new CliExit(ExitCode.timeout, STOPPED[reload ? 'reload' : 'status']) : error;
    });
    if (answers.length > 0) return answers;
    const message = `no worker polls the task queue ${taskQueue} in namespace ${fleet.namespace}, nor did one lately`;
    throw new CliExit(ExitCode.timeout, message);
  });
}

function toJson({ identity, release, silence, lastSeenAtMs }: FleetAnswer) {
  return {
    identity,
    answered: release !== undefined,
    last_seen: new Date(lastSeenAtMs).toISOString(),
    ...(silence === undefined ? {} : { silence }),
    ...(release
      ? {
          build_id: release.buildID,
          deployment: release.deployment,
          receives_tasks: release.receivesTasks,
          manifest_version: release.manifestVersion,
          policy_sha: release.policySHA,
          config_rev: release.configRev,
          loaded_since: release.loadedSince,
          last_check: release.lastCheck,
          last_successful_check: release.lastSuccessfulCheck,
          last_error: release.lastError,
          from_cache: release.fromCache === true,
          published_at: release.publishedAt,
          signed_by: release.signedBy && { key_id: release.signedBy.keyID, algorithm: release.signedBy.algorithm },
          wasm_alone: release.wasmAlone === true,
        }
      : {}),
  };
}

async function printText(io: CommandIo, answers: readonly FleetAnswer[], alike: boolean): Promise<void> {
  const nowMs = Date.now();
  const ago = (time: string | undefined): string => (time ? `${formatAge(Date.parse(time), nowMs)} ago` : 'never');
  const answered = answers.filter(({ release }) => release);
  if (answered.length > 0) {
    await printTable(
      io,
      ['worker', 'build', 'version', 'policy', 'config', 'loaded', 'checked', 'checked well'],
      answered.map(({ identity, release = {} }) => [
        identity,
        buildText(release),
        `${release.manifestVersion ?? 'none'}${release.signedBy ? ' (signed)' : ''}${release.fromCache ? ' (from the copy on disk)' : ''}${release.wasmAlone ? ' (wasm decides alone)' : ''}`,
        shortSha(release.policySHA ?? ''),
        shortSha(release.configRev ?? ''),
        ago(release.loadedSince),
        ago(release.lastCheck),
        ago(release.lastSuccessfulCheck),
      ]),
    );
  }
  const colors = colorsFor(io);
  printLines(io, [
    ...answered.flatMap(({ identity, release }) =>
      release?.lastError === undefined ? [] : [colors.red(`${identity}: its last check failed: ${release.lastError}`)],
    ),
    ...answers.flatMap(({ identity, release, lastSeenAtMs }) =>
      release
        ? []
        : [`${identity} does not answer: stopped, or out of reach; last seen ${formatAge(lastSeenAtMs, nowMs)} ago`],
    ),
    ...(alike ? [] : [colors.yellow('The workers do not have the same release in force')]),
    `${answered.length} of ${answers.length} workers answered`,
  ]);
}

/** `deployment:buildId`, or the build id of an unversioned worker; workers of 0.1.0 do not say it. */
function buildText({ buildID, deployment, receivesTasks }: FleetStatus): string {
  if (buildID === undefined) return 'unknown';
  const name = deployment === undefined ? buildID : `${deployment}:${buildID}`;
  return receivesTasks === false ? `${name} (gets no tasks)` : name;
}
