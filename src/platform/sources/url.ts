import { FailureType, faultsToError, GateError } from '../../kernel/failures';
import { EXPECTED_OF_HTTP_URL, readHttpUrl } from '../../kernel/http-url';
import { isSecretName } from '../../kernel/secret-names';

/** `url` for people: without user and password, and with `***` for query values whose names sound secret. */
export function redactUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return '(not a URL)';
  }
  parsed.username = '';
  parsed.password = '';
  for (const key of new Set(parsed.searchParams.keys())) {
    if (isSecretName(key)) parsed.searchParams.set(key, '***');
  }
  return parsed.toString().replaceAll('%7B', '{').replaceAll('%7D', '}');
}

/** Throws GateError ConfigInvalid unless `url` is an http or https URL without user and password. */
export function checkUrl(url: string, where: string): void {
  const read = readHttpUrl(url);
  if (typeof read !== 'string') return;
  const hint = read === 'credentials' ? ': use headers or bearerToken' : '';
  const message = `Expected ${where} ${EXPECTED_OF_HTTP_URL[read]}${hint}`;
  throw new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message, where }]);
}

/** A base URL, to which a path and a query are added: one of its own would be lost or doubled. */
export function checkBaseUrl(base: string, where: string): string {
  checkUrl(base, where);
  if (/[?#]/.test(base)) {
    const message = `Expected ${where} to be a URL without a query or fragment, since a path is added to it`;
    throw faultsToError([{ type: FailureType.ConfigInvalid, message, where }]);
  }
  return base.replace(/\/+$/, '');
}
