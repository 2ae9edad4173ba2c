import { canonicalJson } from '../../kernel/canonical-json';
import { FailureType, GateError, type Fault } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { toRunnable } from '../../rego/evaluation/prepare-release';
import { createTracer } from '../../rego/evaluation/trace';
import { askOpa, type AskedInput } from '../../rego/toolchain/ask-opa';
import { OpaTimeoutError } from '../../rego/toolchain/opa';
import type { Release } from '../release';
import { generateInputs } from './generated-inputs';

const MOST_INPUTS = 500;
const TIMEOUT_MS = 30_000;
/** More of them say nothing more. */
const MOST_FAULTS = 5;

/** What a release was compared with OPA on. */
export interface OpaComparison {
  /** generated inputs that the plan's evaluator answers */
  generated: number;
  /** recorded decisions that it answers */
  recorded: number;
  /** one for each input on which the two differ, at most five; one where OPA gives no answer in time */
  faults: Fault[];
}

/**
 * Asks OPA itself, once, what a release decides on generated inputs and on those of recorded decisions, and compares that with
 * the plan's evaluator. Inputs on which the evaluator gives no answer are left out: they are errors in production, whatever OPA
 * says.
 */
export async function checkAgainstOpa(release: Release, recorded: readonly AskedInput[] = []): Promise<OpaComparison> {
  const { policy, configDocument, loadedAtMs: decisionTimeMs } = release;
  const trace = await createTracer(policy, configDocument);
  if (trace === undefined) return { generated: 0, recorded: 0, faults: [] };
  const evaluate = (input: JsonObject, atMs = decisionTimeMs) => {
    try {
      return trace(input, atMs);
    } catch {
      return undefined;
    }
  };
  const answered = (asked: readonly AskedInput[]) =>
    asked.flatMap((one) => {
      const answer = evaluate(one.input, one.decisionTimeMs);
      return answer === undefined ? [] : [{ ...one, response: answer.response }];
    });
  const { inputs } = await generateInputs(release, evaluate, { count: MOST_INPUTS, decisionTimeMs });
  const generated = answered(inputs.map((input) => ({ input, decisionTimeMs })));
  const past = answered(recorded);
  const all = [...generated, ...past];
  const counts = { generated: generated.length, recorded: past.length };
  const { dataText } = await toRunnable(policy, configDocument, { memoryMiB: 64, secondOpinion: 'off' });
  try {
    const asked = all.map(({ input, decisionTimeMs: atMs }) => ({ input, decisionTimeMs: atMs }));
    const opa = await askOpa(policy, dataText, asked, { timeoutMs: TIMEOUT_MS });
    const faults = all.flatMap(({ input, response }, at) => differenceOf(input, response, opa[at]));
    return { ...counts, faults: faults.slice(0, MOST_FAULTS) };
  } catch (error) {
    if (error instanceof OpaTimeoutError) {
      return { ...counts, faults: [fault(`OPA itself could not be asked: ${error.message}`)] };
    }
    if (!(error instanceof GateError)) throw error;
    const message = `OPA gives no answer to inputs that the plan's evaluator answers: ${error.message}`;
    return { ...counts, faults: [fault(message)] };
  }
}

function differenceOf(input: JsonObject, here: JsonValue | undefined, opa: JsonValue | undefined): Fault[] {
  const [ours, theirs] = [textOf(here), textOf(opa)];
  if (ours === theirs) return [];
  return [fault(`OPA answers ${theirs}, the plan's evaluator ${ours}, for the input ${JSON.stringify(input)}`)];
}

const textOf = (value: JsonValue | undefined): string => (value === undefined ? 'nothing' : canonicalJson(value));

const fault = (message: string): Fault => ({ type: FailureType.PolicyEvaluation, message, where: 'response' });
