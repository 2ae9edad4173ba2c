import type { LoadedSettings } from '../../settings/load-settings';
import { temporalConnectionConfig } from '../../settings/temporal-connection';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes';
import { connectTemporal } from '../open-temporal';
import { attempt, missing, type Finding } from './finding';

const CONNECT_TIMEOUT_MS = 3_000;
const WHAT = 'temporal server';

/** Whether the server answers, and whether the namespace has the search attributes. */
export async function temporalFinding({ settings }: LoadedSettings, env: NodeJS.ProcessEnv): Promise<Finding> {
  const answer = await attempt(async () => {
    const config = temporalConnectionConfig(settings, env);
    const { namespace, address } = config;
    const connection = await connectTemporal(config, env, CONNECT_TIMEOUT_MS);
    try {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
      const lacking = SEARCH_ATTRIBUTES.map(({ name }) => name).filter((name) => !customAttributes?.[name]);
      return { place: `${address}, namespace ${namespace}`, lacking };
    } finally {
      await connection.close();
    }
  });
  if ('error' in answer) {
    return missing(WHAT, answer.error, 'gate dev starts one; TEMPORAL_ADDRESS or temporal.address names another');
  }
  const { place, lacking } = answer.value;
  if (lacking.length === 0) return { state: 'ok', what: WHAT, found: place };
  return missing(WHAT, `${place}, without the search attributes ${lacking.join(', ')}`, 'gate setup creates them');
}
