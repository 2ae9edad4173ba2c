import type { HttpFetch } from '../../platform/http/http-client';
import { networkCode } from '../../platform/http/network-code';
import { readUpTo } from '../../platform/http/read-up-to';
import { OUTPUT_LIMITS } from '../../platform/documents/named-outputs';
import { redactUrl } from '../../platform/sources/url';
import { isTimedOut, withSignal } from '../../platform/timers/with-signal';
import { judgeAnswer, type CriterionLook, type EndpointCriterion } from '../execution/criteria';
import { readExternalAnswer, type ExternalLook, type ExternalQuestion } from '../execution/external-look';

const MOST_MS = 10_000;
const NO_BYTES = new Uint8Array();

/** Asks an endpoint once whether a criterion holds; it throws nothing. */
export async function lookAtCriterion(fetch: HttpFetch, criterion: EndpointCriterion): Promise<CriterionLook> {
  const { url, method, timeoutMs, bodyMatch } = criterion;
  return withSignal({ timeoutMs }, async (signal): Promise<CriterionLook> => {
    try {
      const response = await fetch(url, { method, redirect: 'manual', signal });
      if (bodyMatch !== undefined)
        return judgeAnswer(criterion, response.status, await readUpTo(response.body, OUTPUT_LIMITS.answerBytes));
      // The body may never end; left unread it would hold the connection.
      await response.body?.cancel();
      return judgeAnswer(criterion, response.status, NO_BYTES);
    } catch (error) {
      const message = isTimedOut(signal) ? `no answer within ${timeoutMs} ms` : `no answer (${networkCode(error)})`;
      return { holds: false, message };
    }
  });
}

/** Asks once how far work outside is. What goes wrong on the way is an answer too; it throws nothing. */
export async function lookAtExternal(
  fetch: HttpFetch,
  { uri, outputs }: ExternalQuestion,
  mostMs = MOST_MS,
): Promise<ExternalLook> {
  const look = await withSignal({ timeoutMs: mostMs }, async (signal): Promise<ExternalLook> => {
    try {
      const headers = { accept: 'application/json', 'cache-control': 'no-cache' };
      // A redirect would take the question to an address that nobody named.
      const response = await fetch(uri, { headers, redirect: 'manual', signal });
      return readExternalAnswer(response.status, await readUpTo(response.body, OUTPUT_LIMITS.answerBytes), outputs);
    } catch (error) {
      const message = isTimedOut(signal)
        ? `gave no answer within ${mostMs} ms`
        : `does not answer (${networkCode(error)})`;
      return { state: 'unknown', message };
    }
  });
  if (look.state !== 'unknown') return look;
  return { state: 'unknown', message: `${redactUrl(uri)} ${look.message}` };
}
