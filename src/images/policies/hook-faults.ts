import { EXPECTED_OF_HTTP_URL, readHttpUrl } from '../../kernel/http-url';
import type { JsonObject } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { parseDuration } from '../../kernel/duration';
import { isEncrypted } from '../../platform/documents/encrypted-text';
import type { PointedFault } from '../pointed-fault';
import { credentialFaults, secretNameOf } from './find-credentials';
import type { ImagePolicyDocument } from './policy-document';

/** What cannot be right in the hooks of a policy. @param secrets names that exist; every name is accepted by default */
export function hookFaults(
  { hooks = {}, actions }: ImagePolicyDocument,
  secrets: readonly string[] | undefined,
): PointedFault[] {
  const all = Object.entries(hooks).flatMap(([event, list]) =>
    list.map((hook, index) => ({ hook, pointer: `/hooks/${event}/${index}` })),
  );
  const isCopied = actions.some(({ type }) => type === 'replicate');
  if (all.length > 0 && !isCopied)
    return [{ pointer: '/hooks', sentence: 'expected a replicate action, as hooks are called around copies' }];
  return all.flatMap(({ hook, pointer }): PointedFault[] => {
    const { url, headers = {}, timeout } = hook;
    const faults = credentialFaults(headers as JsonObject, `${pointer}/headers`);
    const texts = [
      [`${pointer}/url`, url],
      ...Object.entries(headers).map(([name, text]) => [`${pointer}/headers/${escapePointer(name)}`, text]),
    ];
    for (const [at = '', text = ''] of texts) {
      const name = secretNameOf(text);
      if (name === undefined || secrets === undefined || secrets.includes(name)) continue;
      faults.push({ pointer: at, sentence: `expected a secret of policy.secrets, got ${name}` });
    }
    const read = secretNameOf(url) === undefined && !isEncrypted(url) ? readHttpUrl(url) : undefined;
    if (typeof read === 'string')
      faults.push({ pointer: `${pointer}/url`, sentence: `expected an address ${EXPECTED_OF_HTTP_URL[read]}` });
    try {
      parseDuration(timeout);
    } catch (error) {
      faults.push({
        pointer: `${pointer}/timeout`,
        sentence: (error as Error).message.replace(/^Expected/, 'expected'),
      });
    }
    return faults;
  });
}
