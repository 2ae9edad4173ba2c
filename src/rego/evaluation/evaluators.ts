import type { JsonValue } from '../../kernel/json';
import { instantiatePolicy, type WasmPolicy } from '../wasm-policy';
import { allows, describeDisagreement, type Disagreement, type EvaluationAccount, type NoVoteReason } from './account';
import { createPlanEvaluator, type PlanAnswer } from './plan-evaluator';
import type { RunnablePolicy } from './runnable-policy';

/** Why there is no answer: the policy did not load, did not answer, or its two evaluators do not agree. */
export interface RunFailure {
  step: 'load' | 'run';
  message: string;
  disagreement?: Disagreement;
}

/** The evaluators of one policy, as one. */
export interface Evaluators {
  isReady(): boolean;
  /** @throws where the policy does not load */
  prepare(): void;
  /** @throws where the policy gives no answer */
  answer(
    inputText: string,
    timeNs: bigint,
  ): { response: JsonValue | undefined; account: EvaluationAccount } | { failure: RunFailure };
}

export function wasmAlone(policy: RunnablePolicy): Evaluators {
  let instance: WasmPolicy | undefined;
  return {
    isReady: () => instance !== undefined,
    prepare: () => void (instance = instantiate(policy)),
    answer(inputText, timeNs) {
      const running = instance!;
      instance = undefined;
      const response = running.evaluate(policy.entrypoint, inputText, timeNs);
      instance = running;
      return { response, account: { evaluator: 'wasm', secondOpinion: { vote: 'not-asked' } } };
    },
  };
}

/** The plan decides; the module is asked where it allows without a note. */
export function planFirst(policy: RunnablePolicy, planText: string): Evaluators {
  const { secondOpinion: setting = 'when-possible', entrypoint } = policy;
  let plan: ((inputText: string, timeNs: bigint) => PlanAnswer) | undefined;
  let module: WasmPolicy | undefined;
  /** why the module can never be asked */
  let noModule = policy.noModule;

  /** Made with the plan, not when it is first asked: loading is no part of an evaluation's deadline. */
  const prepareModule = (): void => {
    if (setting === 'off' || noModule !== undefined || module !== undefined) return;
    if (policy.module === undefined) {
      noModule = 'the bundle holds none';
      return;
    }
    try {
      module = instantiatePolicy(policy.module, { memoryMiB: policy.memoryMiB });
    } catch (error) {
      noModule = messageOf(error);
      return;
    }
    module.setData(policy.dataText);
  };

  const ask = (first: PlanAnswer, inputText: string, timeNs: bigint): EvaluationAccount | { failure: RunFailure } => {
    const { response, doubts } = first;
    const why: NoVoteReason[] = noModule === undefined ? doubts() : [{ reason: 'no-module', message: noModule }];
    if (why.length > 0) {
      if (setting !== 'required') return { ...first.account, secondOpinion: { vote: 'none', why } };
      const secondFailure = `the second opinion is required, and there is none: ${why.map(describeReason).join(', ')}`;
      return refused({ first: response!, secondFailure });
    }
    const asked = module!;
    module = undefined;
    let second: JsonValue | undefined;
    try {
      second = asked.evaluate(entrypoint, inputText, timeNs);
    } catch (error) {
      return refused({ first: response!, secondFailure: messageOf(error) });
    }
    module = asked;
    if (!allows(second)) return refused({ first: response!, ...(second === undefined ? {} : { second }) });
    return { ...first.account, secondOpinion: { vote: 'agreed' } };
  };

  return {
    isReady: () => plan !== undefined && (module !== undefined || noModule !== undefined || setting === 'off'),
    prepare() {
      plan ??= createPlanEvaluator(policy, planText);
      prepareModule();
    },
    answer(inputText, timeNs) {
      const first = plan!(inputText, timeNs);
      const { response, account } = first;
      if (setting === 'off' || first.hasNotes || !allows(response)) return { response, account };
      const asked = ask(first, inputText, timeNs);
      return 'failure' in asked ? asked : { response, account: asked };
    },
  };
}

function refused(disagreement: Disagreement): { failure: RunFailure } {
  return { failure: { step: 'run', message: describeDisagreement(disagreement), disagreement } };
}

function describeReason(why: NoVoteReason): string {
  if (why.reason === 'no-module') return `no valid module (${why.message})`;
  return why.at === undefined ? why.reason : `${why.reason} at ${why.at.file}:${why.at.row}`;
}

function instantiate({ module, noModule, memoryMiB, dataText }: RunnablePolicy): WasmPolicy {
  if (module === undefined) throw new Error(`The policy could not be loaded: ${noModule ?? 'there is no module'}`);
  const policy = instantiatePolicy(module, { memoryMiB });
  policy.setData(dataText);
  return policy;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
