import { canonicalJson } from '../../kernel/canonical-json';
import { FailureType, GateError, type Fault } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { toRunnable } from '../../rego/evaluation/prepare-release';
import { createTracer } from '../../rego/evaluation/trace';
import { askOpa } from '../../rego/toolchain/ask-opa';
import { OpaTimeoutError } from '../../rego/toolchain/opa';
import type { Release } from '../release';
import { generateInputs } from './generated-inputs';

const MOST_INPUTS = 500;
const TIMEOUT_MS = 30_000;
/** More of them say nothing more. */
const MOST_FAULTS = 5;

/**
 * Asks OPA itself what a release decides on generated inputs, and compares that with the plan's evaluator. Inputs on which
 * the evaluator gives no answer are left out: they are errors in production, whatever OPA says.
 *
 * @returns a fault for each input on which the two differ, at most five; one where OPA does not answer in time
 */
export async function checkAgainstOpa(release: Release): Promise<Fault[]> {
  const { policy, configDocument, loadedAtMs: decisionTimeMs } = release;
  const trace = await createTracer(policy, configDocument);
  if (trace === undefined) return [];
  const evaluate = (input: JsonObject) => {
    try {
      return trace(input, decisionTimeMs);
    } catch {
      return undefined;
    }
  };
  const { inputs } = await generateInputs(release, evaluate, { count: MOST_INPUTS, decisionTimeMs });
  const answered = inputs.flatMap((input) => {
    const answer = evaluate(input);
    return answer === undefined ? [] : [{ input, response: answer.response }];
  });
  const { dataText } = await toRunnable(policy, configDocument, { memoryMiB: 64, secondOpinion: 'off' });
  const asked = answered.map(({ input }) => input);
  try {
    const defined = await askOpa(policy, dataText, asked, { decisionTimeMs, timeoutMs: TIMEOUT_MS });
    return answered
      .flatMap(({ input, response }, at) => differenceOf(input, response, defined[at]))
      .slice(0, MOST_FAULTS);
  } catch (error) {
    if (error instanceof OpaTimeoutError) return [fault(`OPA itself could not be asked: ${error.message}`)];
    if (!(error instanceof GateError)) throw error;
    return [fault(`OPA gives no answer to inputs that the plan's evaluator answers: ${error.message}`)];
  }
}

function differenceOf(input: JsonObject, here: JsonValue | undefined, opa: JsonValue | undefined): Fault[] {
  const [ours, theirs] = [textOf(here), textOf(opa)];
  if (ours === theirs) return [];
  return [fault(`OPA answers ${theirs}, the plan's evaluator ${ours}, for the input ${JSON.stringify(input)}`)];
}

const textOf = (value: JsonValue | undefined): string => (value === undefined ? 'nothing' : canonicalJson(value));

const fault = (message: string): Fault => ({ type: FailureType.PolicyEvaluation, message, where: 'response' });
