import { messageOf } from '../kernel/message-of';
import { parseDuration } from '../kernel/duration';
import { FailureType, GateError } from '../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/json';
import type { Release } from './release';
import type { PolicyBundle } from '../rego/bundle/policy-bundle';

export interface SmokeRequest {
  policy: PolicyBundle;
  configDocument: JsonObject;
  configRev: string;
  input: JsonObject;
  decisionTimeMs: number;
  /** as the release says, or a policy that needs what it was given would be refused */
  deadlineMs: number;
  memoryMiB: number;
}

/**
 * Evaluates a release once before it is taken. The answer does not matter; that there is one does: the wasm loads, the
 * entrypoint exists, the document has its shape. The first input has no facts; a policy that needs them is tried on samples.
 *
 * @param samples inputs with facts as the policy's schemas describe them; asked only where the first input gives no answer
 * @throws GateError PolicyInvalid that says with which input
 */
export async function smokeRelease(
  release: Release,
  evaluate: (request: SmokeRequest) => Promise<{ response: JsonValue | undefined }>,
  samples: (release: Release) => readonly JsonObject[] = () => [],
): Promise<void> {
  const deployment = { id: 'smoke', stage: 'smoke', stage_index: 0, attributes: {}, stage_attributes: {} };
  const decision_time = new Date(release.loadedAtMs).toISOString();
  const first = await tryInput(release, { deployment, decision_time }, evaluate);
  if (first === undefined) return;
  let last = first;
  for (const { deployment: given, ...facts } of first.isFinal ? [] : samples(release)) {
    const input = { ...facts, deployment: { ...deployment, ...(isJsonObject(given) ? given : {}) }, decision_time };
    const failed = await tryInput(release, input, evaluate);
    if (failed === undefined) return;
    last = failed;
    if (failed.isFinal) break;
  }
  // Without the time, which is another at each try: the same reason is told once.
  const shown = JSON.stringify({ ...last.input, decision_time: undefined });
  const message = `${last.what}, for the input ${shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN)}…` : shown}`;
  throw new GateError(FailureType.PolicyInvalid, message, undefined, { cause: last.cause });
}

const MOST_SHOWN = 500;

interface SmokeFailure {
  what: string;
  input: JsonObject;
  /** no other input would mend it */
  isFinal: boolean;
  cause?: unknown;
}

/** @returns undefined when the input gives a decision document; @throws GateError for a policy that cannot be loaded */
async function tryInput(
  release: Release,
  input: JsonObject,
  evaluate: (request: SmokeRequest) => Promise<{ response: JsonValue | undefined }>,
): Promise<SmokeFailure | undefined> {
  const { policy, configDocument, ref, loadedAtMs } = release;
  const { deadline, memoryMiB } = release.config.evaluation;
  const limits = { deadlineMs: parseDuration(deadline), memoryMiB };
  const request = { policy, configDocument, configRev: ref.configRev, input, decisionTimeMs: loadedAtMs, ...limits };
  let response: JsonValue | undefined;
  try {
    ({ response } = await evaluate(request));
  } catch (cause) {
    // It did not get as far as evaluating: the wasm is invalid, or needs a built-in that this worker lacks.
    if (cause instanceof GateError && cause.type === FailureType.PolicyInvalid) throw cause;
    const why = messageOf(cause);
    return { what: `Expected the policy to evaluate, but it failed: ${why}`, input, isFinal: false, cause };
  }
  if (isDecisionDocument(response)) return undefined;
  const found = response === undefined ? 'nothing' : JSON.stringify(response).slice(0, 200);
  const what = `Expected data.${policy.entrypoint.replaceAll('/', '.')} to give {allow, deny_reasons}, got ${found}`;
  return { what, input, isFinal: response !== undefined };
}

function isDecisionDocument(value: JsonValue | undefined): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return typeof value.allow === 'boolean' && Array.isArray(value.deny_reasons);
}
