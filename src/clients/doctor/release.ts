import { openReleaseSource } from '../../releases/sources/open-release-source';
import type { LoadedSettings } from '../../settings/load-settings';
import { attempt, missing, type Finding } from './finding';

const SHOWN_DIGITS = 12;

/** The release that the settings' manifest names: read whole and compared with its digests, not evaluated. */
export async function releaseFinding(loaded: LoadedSettings, env: NodeJS.ProcessEnv): Promise<Finding> {
  const { manifest } = loaded.settings.release;
  const named = await attempt(async () => {
    const source = openReleaseSource(loaded, { env });
    const found = await source.read();
    const [policy, config] = await Promise.all([found.loadPolicy(), found.loadConfig()]);
    const [policySha, configRev] = [policy.sha, config.configRev].map((digest) => digest.slice(0, SHOWN_DIGITS));
    return `version ${found.manifest.version}, policy ${policySha}, configuration ${configRev}, from ${source.where}`;
  });
  if ('value' in named) return { state: 'ok', what: 'release', found: named.value };
  const advice = `Correct the manifest ${manifest} or what it names; gate policy check says more of a policy`;
  return missing('release', named.error, advice);
}
