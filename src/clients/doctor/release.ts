import { releaseFaults } from '../../gate/release-faults';
import { releaseRules } from '../../gate/release-rules';
import { placedMessage } from '../../kernel/fault-text';
import { loadParts, type ReleaseCheck } from '../../releases/load-parts';
import { openReleaseSource } from '../../releases/sources/open-release-source';
import type { LoadedSettings } from '../../settings/load-settings';
import { attempt, missing, type Finding } from './finding';

const SHOWN_DIGITS = 12;

/** The release that the settings' manifest names: read whole, compared with its digests and checked as a worker does. */
export async function releaseFinding(loaded: LoadedSettings, env: NodeJS.ProcessEnv): Promise<Finding> {
  const { manifest } = loaded.settings.release;
  const named = await attempt(async () => {
    const source = openReleaseSource(loaded, { env });
    const found = await source.read();
    const rules = releaseRules(loaded, env, source.configFolder);
    const check: ReleaseCheck = (policy, config) => releaseFaults(policy, config, rules);
    const { policy, loaded: config } = await loadParts(found, check, source.where);
    const faults = await check(policy, config);
    const [policySha, configRev] = [policy.sha, config.configRev].map((digest) => digest.slice(0, SHOWN_DIGITS));
    const { version } = found.manifest;
    const signed = found.signature ? `, signed by the key ${found.signature.keyId} (${found.signature.algorithm})` : '';
    const what = `version ${version}, policy ${policySha}, configuration ${configRev}${signed}, from ${source.where}`;
    return { what, policy, faults };
  });
  if ('error' in named) {
    const advice = `Correct the manifest ${manifest} or what it names; gate policy check says more of a policy`;
    return missing('release', named.error, advice);
  }
  const { what, policy, faults } = named.value;
  if (faults.length > 0)
    return missing('release', `${what}: ${faults.map(placedMessage).join('; ')}`, 'Workers refuse it as it is');
  if (policy.plan !== undefined) return { state: 'ok', what: 'release', found: what };
  return {
    state: 'note',
    what: 'release',
    found: `${what}, without a plan: wasm decides alone (release.allowWasmOnly)`,
    advice: 'Nothing notices what is missing while it is evaluated: publish the policy again from its sources',
  };
}
