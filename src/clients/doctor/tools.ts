import { cachedToolPath, findInstalled } from '../../platform/tools/find-tool';
import { attempt, type Finding } from './finding';

/**
 * A tool that is installed on this machine; a missing one is a note, because it is fetched when it is first needed.
 *
 * @param use who needs it, for a machine without
 */
export async function toolFinding(name: 'temporal' | 'opa', use: string, env: NodeJS.ProcessEnv): Promise<Finding> {
  const search = await attempt(() => findInstalled(name, env));
  if ('error' in search) return { state: 'note', what: name, found: search.error };
  const found = search.value;
  if (found) return { state: 'ok', what: name, found: `${found.version} at ${found.path} (${found.from})` };
  return {
    state: 'note',
    what: name,
    found: `not found; for ${use}`,
    advice: `It is downloaded, or built with Go, into ${cachedToolPath(name, env)} when first needed; PLANNING_ENGINE_${name.toUpperCase()} names another`,
  };
}
