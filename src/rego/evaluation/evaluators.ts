import { messageOf } from '../../kernel/message-of';
import { isJsonObject, type JsonValue } from '../../kernel/json';
import { instantiatePolicy, readAnswer, type WasmPolicy } from '../wasm-policy';
import {
  allows,
  noVoteText,
  shownAnswer,
  type EvaluationAccount,
  type NoVoteReason,
  type SecondOpinion,
} from '../evaluation-account';
import { createPlanEvaluator, type PlanAnswer } from './plan-evaluator';
import { refused, type RunFailure } from './run-failure';
import type { RunnablePolicy } from './runnable-policy';

/** The evaluators of one policy, as one. */
export interface Evaluators {
  isReady(): boolean;
  /** @throws where the policy does not load */
  prepare(): void;
  /**
   * @param onAsk told the first evaluator's answer, shortened, before the second is asked: that may never return
   * @throws where the policy gives no answer
   */
  answer(
    inputText: string,
    timeNs: bigint,
    onAsk: (first: string) => void,
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
      return {
        response,
        account: { evaluator: 'wasm', secondOpinion: { vote: 'none', why: [{ reason: 'no-plan' }] } },
      };
    },
  };
}

/** The plan decides; the module is asked where it allows without a note. */
export function planFirst(policy: RunnablePolicy, planText: string): Evaluators {
  const { secondOpinion: setting = 'when-possible', entrypoint } = policy;
  let plan: ((inputText: string, timeNs: bigint) => PlanAnswer) | undefined;
  let module: WasmPolicy | undefined;
  /** the text with which the module allowed last: most allows are that one, and it need not be read again */
  let allowText: string | undefined;
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

  const ask = (
    { response, account, doubts }: PlanAnswer,
    inputText: string,
    timeNs: bigint,
    onAsk: (first: string) => void,
  ): EvaluationAccount | { failure: RunFailure } => {
    const accountOf = (secondOpinion: SecondOpinion): EvaluationAccount => {
      // made for this evaluation, and held by nothing else yet
      account.secondOpinion = secondOpinion;
      return account;
    };
    const why: NoVoteReason[] = noModule === undefined ? doubts() : [{ reason: 'no-module', message: noModule }];
    if (why.length > 0 && setting !== 'required') return accountOf({ vote: 'none', why });
    const first = isPlainAllow(response) ? PLAIN_ALLOW : shownAnswer(JSON.stringify(response));
    if (why.length > 0) {
      const secondFailure = `the second opinion is required, and there is none: ${why.map(noVoteText).join(', ')}`;
      return {
        failure: refused({ disagreement: { first, secondFailure }, account: accountOf({ vote: 'none', why }) }),
      };
    }
    onAsk(first);
    const asked = module!;
    module = undefined;
    let second: JsonValue | undefined;
    let text: string;
    try {
      text = asked.evaluateToText(entrypoint, inputText, timeNs);
      if (text !== allowText) second = readAnswer(text);
    } catch (error) {
      const disagreement = { first, secondFailure: messageOf(error) };
      return { failure: refused({ disagreement, account: accountOf({ vote: 'failed' }) }) };
    }
    module = asked;
    if (text === allowText) return accountOf({ vote: 'agreed' });
    if (allows(second)) {
      allowText = text;
      return accountOf({ vote: 'agreed' });
    }
    const disagreement = { first, second: shownAnswer(JSON.stringify(second ?? null)) };
    return { failure: refused({ disagreement, account: accountOf({ vote: 'disagreed' }) }) };
  };

  return {
    isReady: () => plan !== undefined && (module !== undefined || noModule !== undefined || setting === 'off'),
    prepare() {
      plan ??= createPlanEvaluator(policy, planText);
      prepareModule();
    },
    answer(inputText, timeNs, onAsk) {
      const first = plan!(inputText, timeNs);
      const { response, account } = first;
      if (setting === 'off' || first.hasNotes || !allows(response)) return { response, account };
      const asked = ask(first, inputText, timeNs, onAsk);
      return 'failure' in asked ? asked : { response, account: asked };
    },
  };
}

/** What nearly every allow is, as `JSON.stringify` writes it. */
const PLAIN_ALLOW = '{"allow":true,"deny_reasons":[]}';

function isPlainAllow(response: JsonValue | undefined): boolean {
  if (!isJsonObject(response) || response.allow !== true) return false;
  const reasons = response.deny_reasons;
  return Array.isArray(reasons) && reasons.length === 0 && Object.keys(response).length === 2;
}

function instantiate({ module, noModule, memoryMiB, dataText }: RunnablePolicy): WasmPolicy {
  if (module === undefined) throw new Error(`The policy could not be loaded: ${noModule ?? 'there is no module'}`);
  const policy = instantiatePolicy(module, { memoryMiB });
  policy.setData(dataText);
  return policy;
}
