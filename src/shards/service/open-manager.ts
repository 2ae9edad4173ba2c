import { parseDuration } from '../../kernel/duration';
import { FailureType, faultsToError } from '../../kernel/failures';
import { EXPECTED_OF_HTTP_URL, readHttpUrl } from '../../kernel/http-url';
import { readSecret, type SettingsSecretDeps } from '../../platform/files/read-secret';
import { createHttpFetch } from '../../platform/http/http-client';
import type { LoadedSettings } from '../../settings/load-settings';
import { createHttpShardManager } from '../manager/http-shard-manager';
import type { ShardManager } from '../manager/shard-manager';

/**
 * The shard manager that the settings name, by its token read at each use; opening does no I/O.
 *
 * @returns undefined where they name none
 * @throws GateError ConfigInvalid for a URL that is none
 */
export function openShardManager(
  { shards: { manager } }: LoadedSettings['settings'],
  secrets: SettingsSecretDeps,
): ShardManager | undefined {
  if (manager === undefined) return undefined;
  const { url, bearerToken, timeout, tls } = manager;
  const read = readHttpUrl(url);
  if (typeof read === 'string') {
    const [message, where] = [`Expected shards.manager.url ${EXPECTED_OF_HTTP_URL[read]}`, 'shards.manager.url'];
    throw faultsToError([{ type: FailureType.ConfigInvalid, message, where }]);
  }
  return createHttpShardManager({
    url,
    fetch: createHttpFetch({ env: secrets.env, folder: secrets.configFolder, ...(tls === undefined ? {} : { tls }) }),
    readToken: async () =>
      bearerToken === undefined
        ? undefined
        : readSecret(bearerToken, { ...secrets, where: 'shards.manager.bearerToken' }),
    timeoutMs: parseDuration(timeout),
  });
}
