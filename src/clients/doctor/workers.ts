import {
  findWedgedWorkflows,
  WEDGED_ADVICE,
  wedgedText,
  type WedgedSearch,
} from '../../platform/temporal/wedged/find-wedged';
import { readTaskRouting } from '../../platform/temporal/versioning/read-task-routing';
import type { LoadedSettings } from '../../settings/load-settings';
import { askFleet } from '../ask-fleet';
import { withFleet } from '../with-fleet';
import { attempt, missing, type Finding } from './finding';
import { pausedFindings } from './paused-rechecks';
import { sweepFinding } from './sweep';
import { versionFindings } from './version-findings';

const CONNECT_TIMEOUT_MS = 3_000;
const SHOWN_WEDGED = 20;

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
      const [routing, answers, search, paused, sweep] = await Promise.all([
        readTaskRouting(fleet.serverConnection, fleet.namespace, taskQueue),
        askFleet(fleet, taskQueue, { reload: false, signal }),
        findWedgedWorkflows(fleet.client, fleet.namespace, taskQueue),
        pausedFindings(fleet.client, taskQueue),
        sweepFinding(fleet.client, fleet.namespace),
      ]);
      const own = { buildId: deployment?.buildId ?? fleet.buildId, name: deployment?.name };
      return [
        ownBuild(own, newPatches),
        ...versionFindings(routing, answers),
        ...wedgedFindings(search),
        ...paused,
        sweep,
      ];
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

function wedgedFindings({ wedged, looked, more }: WedgedSearch): Finding[] {
  const findings: Finding[] = wedged.slice(0, SHOWN_WEDGED).map((one) => ({
    state: 'missing',
    what: 'deployments',
    found: wedgedText(one),
    advice: WEDGED_ADVICE,
  }));
  if (wedged.length > SHOWN_WEDGED) {
    const found = `${wedged.length - SHOWN_WEDGED} more deployments wait with a failing workflow task`;
    findings.push({ state: 'missing', what: 'deployments', found });
  }
  if (more) {
    const found = `only the newest ${looked} running deployments were looked at`;
    findings.push({ state: 'note', what: 'deployments', found });
  }
  return findings;
}
