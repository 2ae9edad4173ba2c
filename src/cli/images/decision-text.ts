import type { DecidedAction, ImageDecision } from '../../images/decision/decision';
import { quoted } from '../command-json';
import type { colorsFor } from '../output';

/** The decision as `-o json` prints it: what people wrote keeps its keys. */
export function decisionJson(decision: ImageDecision): unknown {
  return {
    ...decision,
    actions: decision.actions.map(actionJson),
    results: decision.results.map(({ conditionResults, actions, ...result }) => ({
      ...result,
      conditionResults: conditionResults.map(({ condition, ...rest }) => ({ condition: quoted(condition), ...rest })),
      actions: actions.map(actionJson),
    })),
  };
}

function actionJson(action: DecidedAction): unknown {
  return action.type === 'block' ? action : { ...action, parameters: quoted(action.parameters) };
}

/** The decision for people: the answer first, then why. */
export function decisionLines(decision: ImageDecision, colors: ReturnType<typeof colorsFor>): string[] {
  const { metadata, reason, shouldReplicate, results, conflicts } = decision;
  const verdict = shouldReplicate ? colors.green('replicate') : colors.red('do not replicate');
  return [
    `${metadata.image}: ${verdict}: ${reason}`,
    ...decision.actions.map((action) => `  ${actionText(action)}`),
    ...(metadata.mappedTo === undefined ? [] : [`  to ${metadata.mappedTo}`]),
    ...results.flatMap(({ policyId, matched, conditionResults, error }) => [
      `${policyId}: ${error === undefined ? (matched ? 'matched' : 'did not match') : `${error.code}: ${error.cause}`}`,
      ...conditionResults.map((one) => `  ${one.reason}`),
    ]),
    ...decision.warnings.map(({ policyId, reason: why }) => `${colors.yellow('warning')} of ${policyId}: ${why}`),
    ...conflicts.map(
      ({ priority, blocking, replicating }) =>
        `${colors.yellow('warning')} at priority ${priority} ${blocking.join(', ')} block and ${replicating.join(', ')} replicate: the image is blocked`,
    ),
  ];
}

function actionText(action: DecidedAction): string {
  if (action.type === 'block') return `block (${action.policyId}): ${action.reason}`;
  if (action.type === 'notify') return `notify (${action.policyId})`;
  const { registry, repository, tag } = action.target;
  return `replicate (${action.policyId}) to ${registry}/${repository}${tag === null ? '' : `:${tag}`}`;
}
