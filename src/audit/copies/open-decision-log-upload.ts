import { resolve } from 'node:path';
import type { AuditLogger } from '../audit-log';
import { createDecisionLogUpload, type DecisionLogUpload, type DecisionLogUploadOptions } from './decision-log-upload';
import { openSpool } from './spool';
import { parseDuration } from '../../kernel/duration';
import { EXPECTED_OF_HTTP_URL, readHttpUrl } from '../../kernel/http-url';
import { createHttpFetch } from '../../platform/http/http-client';
import { readSecret } from '../../platform/files/read-secret';
import type { LoadedSettings } from '../../settings/load-settings';
import { secretDeps } from '../../settings/secret-deps';
import { FailureType, GateError } from '../../kernel/failures';
import { userDataFolder } from '../../platform/files/user-folders';

/**
 * The upload of decision logs that the settings name; undefined when they name none.
 *
 * @throws GateError ConfigInvalid for an invalid URL, or a folder that cannot be used
 */
export async function openDecisionLogUpload(
  { settings, baseDir }: LoadedSettings,
  env: NodeJS.ProcessEnv,
  { metrics, logger }: { metrics: DecisionLogUploadOptions['metrics']; logger: AuditLogger },
): Promise<DecisionLogUpload | undefined> {
  const { upload } = settings.audit;
  if (upload === undefined) return undefined;
  const { url, bearerToken, maxUploadBytes, timeout, tls, folder, maxWaitingBytes } = upload;
  checkUrl(url);
  const place = folder === undefined ? userDataFolder('decision-logs', env) : resolve(baseDir, folder);
  return createDecisionLogUpload({
    url,
    ...(bearerToken === undefined
      ? {}
      : { bearerToken: () => readSecret(bearerToken, secretDeps({ settings, baseDir }, env)) }),
    spool: await openSpool(place, maxWaitingBytes),
    fetch: createHttpFetch({ env, tls, folder: baseDir }),
    maxUploadBytes,
    timeoutMs: parseDuration(timeout),
    random: Math.random,
    metrics,
    logger,
  });
}

function checkUrl(url: string): void {
  const read = readHttpUrl(url);
  if (typeof read !== 'string') return;
  const hint = read === 'credentials' ? ': a secret belongs in audit.upload.bearerToken' : '';
  const message = `Expected audit.upload.url ${EXPECTED_OF_HTTP_URL[read]}${hint}`;
  const fault = { type: FailureType.ConfigInvalid, message, where: 'audit.upload.url' };
  throw new GateError(FailureType.ConfigInvalid, message, [fault]);
}
