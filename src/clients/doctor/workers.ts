import { readTaskRouting } from '../../platform/temporal/versioning/read-task-routing';
import type { LoadedSettings } from '../../settings/load-settings';
import { askFleet } from '../ask-fleet';
import { withFleet } from '../with-fleet';
import { attempt, missing, type Finding } from './finding';
import { findStuckWorkflows, type StuckSearch, type StuckWorkflow } from './stuck-deployments';
import { versionFindings } from './version-findings';

const CONNECT_TIMEOUT_MS = 3_000;
const SHOWN_STUCK = 20;
const SHOWN_MESSAGE = 200;

/**
 * Asks the server and every worker of the settings' task queue who gets tasks, and looks for deployments that no running
 * worker can continue with. Changes nothing.
 */
export async function workerFindings(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Finding[]> {
  const asked = await attempt(() => askWorkers(loaded, env, signal));
  if ('value' in asked) return asked.value;
  return [missing('workers', asked.error, 'Whether workers run could not be found out; gate policy status asks them')];
}

function askWorkers(loaded: LoadedSettings, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Finding[]> {
  const { taskQueue, deployment, newPatches } = loaded.settings.temporal;
  return withFleet(
    loaded,
    env,
    async (fleet) => {
      const [routing, answers, search] = await Promise.all([
        readTaskRouting(fleet.serverConnection, fleet.namespace, taskQueue),
        askFleet(fleet, taskQueue, { reload: false, signal }),
        findStuckWorkflows(fleet.client, fleet.namespace, taskQueue),
      ]);
      const own = { buildId: deployment?.buildId ?? fleet.buildId, name: deployment?.name };
      return [ownBuild(own, newPatches), ...versionFindings(routing, answers), ...stuckFindings(search)];
    },
    CONNECT_TIMEOUT_MS,
  );
}

function ownBuild({ buildId, name }: { buildId: string; name?: string }, newPatches: 'activate' | 'hold'): Finding {
  const found = name === undefined ? `${buildId}, unversioned` : `${name}:${buildId}`;
  if (newPatches === 'activate') return { state: 'ok', what: 'build', found };
  return {
    state: 'note',
    what: 'build',
    found: `${found}, new patches are held`,
    advice: 'When workers of the release before are not needed any more, remove temporal.newPatches',
  };
}

function stuckFindings({ stuck, looked, more }: StuckSearch): Finding[] {
  const findings: Finding[] = stuck.slice(0, SHOWN_STUCK).map((one) => ({
    state: 'missing',
    what: 'deployments',
    found: describeStuck(one),
    advice:
      'It loses nothing and continues when a worker can replay it: start one of the build that ran it last, or of a newer release',
  }));
  if (stuck.length > SHOWN_STUCK) {
    const found = `${stuck.length - SHOWN_STUCK} more deployments wait with a failing workflow task`;
    findings.push({ state: 'missing', what: 'deployments', found });
  }
  if (more) {
    const found = `only the newest ${looked} running deployments were looked at`;
    findings.push({ state: 'note', what: 'deployments', found });
  }
  return findings;
}

function describeStuck({ workflowId, attempt, cause, message, lastBuild }: StuckWorkflow): string {
  const [line = ''] = message.split('\n');
  const shown = line.length > SHOWN_MESSAGE ? `${line.slice(0, SHOWN_MESSAGE)}…` : line;
  const build = lastBuild === undefined ? '' : `, last run by build ${lastBuild}`;
  return `${workflowId} waits with a failing workflow task (attempt ${attempt}, ${cause}${build}): ${shown}`;
}
