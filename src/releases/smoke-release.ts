import { parseDuration } from '../kernel/duration';
import { FailureType, GateError } from '../kernel/failures';
import type { JsonObject, JsonValue } from '../kernel/json';
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
 * Evaluates a release once, over an input without facts, before it is taken. The answer does not matter (absence never
 * reaches a real evaluation); that there is one does: the wasm loads, the entrypoint exists, the document has its shape.
 *
 * @throws GateError PolicyInvalid
 */
export async function smokeRelease(
  release: Release,
  evaluate: (request: SmokeRequest) => Promise<{ response: JsonValue | undefined }>,
): Promise<void> {
  const { policy, configDocument, ref, loadedAtMs } = release;
  const deployment = { id: 'smoke', stage: 'smoke', stage_index: 0, attributes: {}, stage_attributes: {} };
  const input = { deployment, decision_time: new Date(loadedAtMs).toISOString() };
  const { deadline, memoryMiB } = release.config.evaluation;
  const limits = { deadlineMs: parseDuration(deadline), memoryMiB };
  const request = { policy, configDocument, configRev: ref.configRev, input, decisionTimeMs: loadedAtMs, ...limits };
  const { response } = await evaluate(request).catch((error: unknown) => {
    // It did not get as far as evaluating: the wasm is invalid, or needs a built-in that this worker lacks.
    if (error instanceof GateError && error.type === FailureType.PolicyInvalid) throw error;
    const message = `Expected the policy to evaluate, but it failed: ${error instanceof Error ? error.message : String(error)}`;
    throw new GateError(FailureType.PolicyInvalid, message, undefined, { cause: error });
  });
  if (!isDecisionDocument(response)) {
    const found = response === undefined ? 'nothing' : JSON.stringify(response).slice(0, 200);
    throw new GateError(
      FailureType.PolicyInvalid,
      `Expected data.${policy.entrypoint.replaceAll('/', '.')} to give {allow, deny_reasons}, got ${found}`,
    );
  }
}

function isDecisionDocument(value: JsonValue | undefined): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return typeof value.allow === 'boolean' && Array.isArray(value.deny_reasons);
}
