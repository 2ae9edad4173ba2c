import { isSameVersion, receivesTasks, type TaskRouting } from '../../platform/temporal/versioning/task-routing';
import { describeVersion, versionOf, type DeploymentVersion } from '../../platform/temporal/versioning/worker-build';
import type { WorkerAnswer } from '../../releases/fleet/worker-answer';
import type { Finding } from './finding';

const WHAT = 'workers';

/**
 * What the workers that answered and the server's routing say together: who gets tasks, which builds poll without being
 * current, whether the current build has a worker, and whether unversioned workers run for nothing.
 *
 * @param answers of all workers that were asked; those without an answer count as gone
 */
export function versionFindings(routing: TaskRouting, answers: readonly WorkerAnswer[]): Finding[] {
  const groups = groupByVersion(answers);
  const fed = groups.filter(({ version }) => receivesTasks(routing, version));
  const state = fed.length > 0 ? 'note' : 'missing';
  const findings: Finding[] = fed.map(({ version, count, builds }) => ({
    state: 'ok',
    what: WHAT,
    found: `${workers(count)} of ${nameOf(version, builds)} ${count === 1 ? 'gets' : 'get'} tasks`,
  }));
  const { current } = routing;
  if (current !== undefined && !groups.some(({ version }) => isSameVersion(version, current))) {
    findings.push({
      state,
      what: WHAT,
      found: `build ${describeVersion(current)} is current and has no worker: deployments wait`,
      advice: `Start a worker of that build, or make one current that runs: ${setCurrent(current.name, '--build-id BUILD')}`,
    });
  }
  for (const { version, count } of groups) {
    if (receivesTasks(routing, version)) continue;
    findings.push({ state, what: WHAT, ...unfed(version, count, current) });
  }
  if (findings.length > 0) return findings;
  return [{ state: 'note', what: WHAT, found: 'no worker answers', advice: 'gate worker starts one' }];
}

/** Workers that poll and get no tasks. */
function unfed(version: DeploymentVersion | undefined, count: number, current: DeploymentVersion | undefined) {
  if (version !== undefined) {
    return {
      found: `build ${describeVersion(version)} polls and is not current, so ${workers(count)} of it ${count === 1 ? 'gets' : 'get'} no tasks; current: ${describeVersion(current)}`,
      advice: `When it is to take over: ${setCurrent(version.name, `--build-id ${version.buildId}`)}`,
    };
  }
  const back = setCurrent(current?.name ?? 'NAME', '--unversioned');
  return {
    found: `build ${describeVersion(current)} is current, so ${workers(count)} without a version ${count === 1 ? 'gets' : 'get'} no tasks`,
    advice: `Set temporal.deployment for the unversioned workers, or go back to them: ${back}`,
  };
}

interface VersionGroup {
  version: DeploymentVersion | undefined;
  count: number;
  /** build ids of its workers; those of unversioned workers may differ */
  builds: ReadonlySet<string>;
}

function groupByVersion(answers: readonly WorkerAnswer[]): VersionGroup[] {
  const groups = new Map<string, VersionGroup & { builds: Set<string> }>();
  for (const { release } of answers) {
    if (release === undefined) continue;
    const { buildID: buildId = 'unknown', deployment } = release;
    const version = versionOf({ buildId, deployment });
    const key = describeVersion(version);
    const group = groups.get(key) ?? { version, count: 0, builds: new Set<string>() };
    group.count += 1;
    group.builds.add(buildId);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function nameOf(version: DeploymentVersion | undefined, builds: ReadonlySet<string>): string {
  if (version !== undefined) return `build ${describeVersion(version)}`;
  return `build ${[...builds].sort().join(', ')}, unversioned,`;
}

const workers = (count: number): string => (count === 1 ? '1 worker' : `${count} workers`);

const setCurrent = (name: string, target: string): string =>
  `temporal worker deployment set-current-version --deployment-name ${name} ${target}`;
