import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import { pickOutputs, readOutputs } from '../../platform/documents/named-outputs';

/** What somebody else's work is asked for. */
export interface ExternalQuestion {
  /** http or https */
  uri: string;
  /** names of values that it is to give in the end */
  outputs: readonly string[];
}

/** How far work outside is: `unknown` where the answer does not say. */
export type ExternalLook =
  | { state: 'running'; message?: string }
  | { state: 'succeeded'; message?: string; outputs?: JsonObject }
  | { state: 'failed'; message: string }
  | { state: 'unknown'; message: string };

/** How often in a row an answer may say nothing until the node fails, and from when on people are shown that it does. */
export const MOST_UNKNOWN = 10;
export const SHOWN_UNKNOWN = 3;
/** Of `pollInterval`, from and to, and where a node has none. */
export const POLL_INTERVAL_MS = { least: 1_000, most: 86_400_000, usual: 30_000 } as const;

const LONGEST_PAUSE_MS = 300_000;
const MOST_TEXT = 500;
const RUNNING = ['pending', 'running'];
const FAILED = ['failed', 'cancelled'];

/** How long until the next question: twice as long after each that had no answer, up to 5 minutes or the interval itself. */
export function pauseAfter(intervalMs: number, unknown: number): number {
  return Math.min(intervalMs * 2 ** unknown, Math.max(intervalMs, LONGEST_PAUSE_MS));
}

/**
 * What an answer says: an object with `state`, which is `pending`, `running`, `succeeded`, `failed` or `cancelled` (in capitals too), and may
 * have a `message` and `outputs`. A 202 without a body says that the work goes on. Work that is done but lacks an output that
 * was asked for has failed.
 */
export function readExternalAnswer(status: number, body: Uint8Array, names: readonly string[]): ExternalLook {
  if (status < 200 || status > 299) return { state: 'unknown', message: `answered ${status}` };
  if (status === 202 && body.byteLength === 0) return { state: 'running' };
  const read = readOutputs(body);
  if ('fault' in read) return { state: 'unknown', message: read.fault ?? '' };
  const { state, message, outputs = {} } = read.values;
  const said = typeof state === 'string' ? state.toLowerCase() : undefined;
  const text = typeof message === 'string' && message !== '' ? shortText(message, MOST_TEXT) : undefined;
  const told = text === undefined ? {} : { message: text };
  if (said !== undefined && RUNNING.includes(said)) return { state: 'running', ...told };
  if (said !== undefined && FAILED.includes(said))
    return { state: 'failed', message: text ?? `it ${said === 'failed' ? said : 'was cancelled'}` };
  if (said === 'succeeded') return { ...told, ...withOutputs(outputs, names) };
  return { state: 'unknown', message: 'answered without state: pending, running, succeeded, failed or cancelled' };
}

function withOutputs(outputs: JsonValue, names: readonly string[]): ExternalLook {
  if (names.length === 0) return { state: 'succeeded' };
  const picked = pickOutputs(isJsonObject(outputs) ? outputs : {}, names);
  if (picked.outputs !== undefined) return { state: 'succeeded', outputs: picked.outputs };
  return { state: 'failed', message: `its outputs: ${picked.fault}` };
}
