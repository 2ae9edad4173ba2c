import { isInTheClear } from '../../kernel/http-url';
import type { LoadedSettings } from '../../settings/load-settings';
import { withSettingsPlace } from '../../settings/settings-place';
import { openPayloadCodec } from '../../settings/open-data-converter';
import { attempt, missing, type Finding } from './finding';

/** Whether the encryption keys can be read, and whether masks have the keys that they need. */
export async function encryptionFinding(loaded: LoadedSettings, env: NodeJS.ProcessEnv): Promise<Finding> {
  const { encryptionKeys } = loaded.settings.temporal;
  const opened = await attempt(() => withSettingsPlace(loaded, () => openPayloadCodec(loaded, env)));
  if ('error' in opened) return missing('encryption', opened.error, 'Correct temporal.encryptionKeys');
  const [first] = encryptionKeys;
  if (first) {
    const found = `${encryptionKeys.length} keys, of which ${JSON.stringify(first.id)} encrypts`;
    return { state: 'ok', what: 'encryption', found };
  }
  const found = "no keys: facts are in Temporal's history in the clear";
  if (loaded.settings.audit.mask.length === 0) return { state: 'ok', what: 'encryption', found };
  return missing('encryption', found, 'Set temporal.encryptionKeys: audit.mask is refused without');
}

/** Whom alerts reach. */
export function alertsFinding({ settings }: LoadedSettings): Finding {
  const { receivers } = settings.alerts;
  const inTheClear = receivers.flatMap(({ url }, index) =>
    typeof url === 'string' && isInTheClear(url) ? [`alerts.receivers[${index}]`] : [],
  );
  if (inTheClear.length > 0) {
    return {
      state: 'note',
      what: 'alerts',
      found: `${receivers.map(({ format }) => format).join(', ')}; ${inTheClear.join(', ')} over http`,
      advice: 'Others on the way can read the alerts, and a URL that is a secret: use https',
    };
  }
  if (receivers.length > 0)
    return { state: 'ok', what: 'alerts', found: receivers.map(({ format }) => format).join(', ') };
  return {
    state: 'note',
    what: 'alerts',
    found: 'no receiver is configured',
    advice: 'No one is told when a deployment pauses: set alerts.receivers',
  };
}
